#include "netlib/os/netns.h"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace netlib {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

NetnsIdentity identityOf(const struct stat& status) { return {status.st_dev, status.st_ino}; }

// O_NONBLOCK: the path comes from the runtime, and opening a FIFO would wait for its writer.
Result<UniqueFd> openFile(const std::string& path) {
  UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd) return failErrno("cannot open the network namespace " + path);
  return fd;
}

Result<NetnsIdentity> identify(const UniqueFd& fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return failErrno("cannot stat the network namespace " + path);
  return identityOf(status);
}

Result<> verifyType(const UniqueFd& fd, const std::string& path) {
  const int type = ioctl(fd.get(), NS_GET_NSTYPE);
  if (type < 0 && errno == ENOTTY) {
    return fail(Cause::WrongNetns,
                path + " is not a network namespace but a regular file; the namespace may have been unmounted");
  }
  if (type < 0) return failErrno("cannot get the type of namespace " + path);
  if (type != CLONE_NEWNET) return fail(Cause::WrongNetns, path + " is a namespace, but not a network namespace");
  return {};
}

}  // namespace

Result<std::optional<NetnsIdentity>> netnsAt(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return std::optional{identityOf(status)};
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<NetnsIdentity>{};
  return failErrno("cannot stat the network namespace " + path);
}

Result<Netns> Netns::open(const std::string& path) {
  UniqueFd target = TRY(openFile(path));
  TRY(verifyType(target, path));
  UniqueFd original = TRY(openFile(kOwnNamespace));
  const NetnsIdentity id = TRY(identify(target, path));
  if (id == TRY(identify(original, kOwnNamespace))) {
    return fail(Cause::WrongNetns, path + " is the host's own network namespace, not a container's");
  }
  return Netns{std::move(target), std::move(original), id, path};
}

// This object keeps the namespace alive, so its inode number cannot have been reused.
Result<> Netns::verifyStillAt(const std::string& path) const {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return failErrno("the network namespace is no longer at " + path);
  if (identityOf(status) == id_) return {};
  return fail(
      Cause::WrongNetns,
      path + " now refers to a different network namespace; its process or mount has been replaced in the meantime");
}

Result<> Netns::enter() const {
  if (setns(target_.get(), CLONE_NEWNET) != 0) return failErrno("cannot enter the network namespace " + path_);
  return {};
}

void Netns::leave() const {
  if (setns(original_.get(), CLONE_NEWNET) == 0) return;
  std::fprintf(stderr, "cannot return from network namespace %s: %s; aborting\n", path_.c_str(), std::strerror(errno));
  std::abort();
}

}  // namespace netlib
