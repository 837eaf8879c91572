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

// O_NONBLOCK: the path comes from outside, and opening a FIFO would wait for its writer.
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

Result<> verifyKind(const UniqueFd& fd, const std::string& path) {
  const int kind = ioctl(fd.get(), NS_GET_NSTYPE);
  if (kind < 0 && errno == ENOTTY) {
    return fail(EXDEV,
                path + " is not a network namespace but an ordinary file; is the namespace still mounted there?");
  }
  if (kind < 0) return failErrno("cannot tell the kind of namespace of " + path);
  if (kind != CLONE_NEWNET) return fail(EXDEV, path + " is a namespace of another kind than network");
  return {};
}

}  // namespace

Result<std::optional<NetnsIdentity>> netnsAt(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return std::optional{identityOf(status)};
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<NetnsIdentity>{};
  return failErrno("cannot tell which network namespace is at " + path);
}

Result<Netns> Netns::open(const std::string& path) {
  UniqueFd there = TRY(openFile(path));
  TRY(verifyKind(there, path));
  UniqueFd home = TRY(openFile(kOwnNamespace));
  const NetnsIdentity id = TRY(identify(there, path));
  if (id == TRY(identify(home, kOwnNamespace))) {
    return fail(EXDEV, path + " is the network namespace of the host itself, not that of a container");
  }
  return Netns{std::move(there), std::move(home), id, path};
}

// This object keeps the namespace alive, so its inode number cannot have been given to another one.
Result<> Netns::verifyStillAt(const std::string& path) const {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return failErrno("the network namespace is no longer at " + path);
  if (identityOf(status) == id_) return {};
  return fail(EXDEV,
              path + " names another network namespace than before; its process or mount was replaced meanwhile");
}

Result<> Netns::enter() const {
  if (setns(there_.get(), CLONE_NEWNET) != 0) return failErrno("cannot enter the network namespace " + path_);
  return {};
}

void Netns::leave() const {
  if (setns(home_.get(), CLONE_NEWNET) == 0) return;
  std::fprintf(stderr, "cannot come back from the network namespace %s: %s; ending before more harm is done\n",
               path_.c_str(), std::strerror(errno));
  std::abort();
}

}  // namespace netlib
