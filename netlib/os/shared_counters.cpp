#include "netlib/os/shared_counters.h"

#include <stdexcept>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"
#include "netlib/os/directory.h"
#include "netlib/os/file.h"

namespace netlib {

namespace {

constexpr std::size_t kBytes = SharedCounters::kCount * sizeof(std::uint64_t);

/// Written, not only truncated to its size: a write to a hole of a full tmpfs raises SIGBUS (mmap(2)). O_TMPFILE: the
/// name appears with the whole content, and nothing remains if this process is killed.
Result<> make(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  const UniqueFd file{::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)};
  if (!file) return failErrno("cannot create " + path);
  TRY(writeAtOnce(file.get(), std::string(kBytes, '\0'), 0, path));
  const int linked = linkat(AT_FDCWD, file.path().c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
  // EEXIST: another process was faster.
  return linked == 0 || errno == EEXIST ? Result<>{} : failErrno("cannot create " + path);
}

UniqueFd opened(const std::string& path) { return UniqueFd{::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC)}; }

}  // namespace

Result<SharedCounters> SharedCounters::open(const std::string& path) {
  UniqueFd file = opened(path);
  if (!file && errno == ENOENT) {
    TRY(make(path));
    file = opened(path);
  }
  if (!file) return failErrno("cannot open " + path);
  struct stat status {};
  if (fstat(file.get(), &status) < 0) return failErrno("cannot examine " + path);
  // Access beyond the end of a mapped file raises SIGBUS.
  if (status.st_size != static_cast<off_t>(kBytes)) {
    return fail(Cause::Damaged, path + " does not have " + std::to_string(kBytes) + " bytes: remove it");
  }
  void* page = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (page == MAP_FAILED) return failErrno("cannot map " + path);
  return SharedCounters{{static_cast<Number*>(page), kCount}};
}

void SharedCounters::add(std::size_t index, std::uint64_t number) {
  at(index).fetch_add(number, std::memory_order_relaxed);
}

std::uint64_t SharedCounters::get(std::size_t index) const { return at(index).load(std::memory_order_relaxed); }

SharedCounters::Number& SharedCounters::at(std::size_t index) const {
  if (index >= numbers_.size()) throw std::out_of_range{"no such counter"};
  return numbers_[index];
}

}  // namespace netlib
