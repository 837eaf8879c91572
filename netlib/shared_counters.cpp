#include "netlib/shared_counters.h"

#include <array>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlib/unique_fd.h"

namespace netlib {

namespace {

constexpr std::size_t kBytes = SharedCounters::kCount * sizeof(std::uint64_t);

/// Written and not only made as long: a hole would need memory when it is counted up, and end the process where there
/// is none. Under a name of its own first, so that nobody maps a part.
Result<> make(const std::string& path) {
  const std::string draft = path + "." + std::to_string(getpid());
  const UniqueFd file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return failErrno("cannot make " + draft);
  constexpr std::array<char, kBytes> kZeros{};
  const ssize_t written = write(file.get(), kZeros.data(), kZeros.size());
  if (written >= 0 && written < static_cast<ssize_t>(kBytes)) errno = ENOSPC;
  const bool isWhole = written == static_cast<ssize_t>(kBytes);
  // Who was quicker has made it.
  const bool isPlaced = isWhole && (link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const Result<> made = isPlaced ? Result<>{} : failErrno("cannot make " + path);
  unlink(draft.c_str());
  return made;
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
  // Past the end of a file there is nothing to map.
  if (status.st_size != static_cast<off_t>(kBytes)) {
    return fail(EBADMSG, path + " has not " + std::to_string(kBytes) + " bytes: remove it");
  }
  void* page = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (page == MAP_FAILED) return failErrno("cannot map " + path);
  return SharedCounters{{static_cast<Number*>(page), kCount}};
}

SharedCounters::~SharedCounters() {
  if (!numbers_.empty()) munmap(numbers_.data(), kBytes);
}

SharedCounters::SharedCounters(SharedCounters&& other) noexcept : numbers_(std::exchange(other.numbers_, {})) {}

void SharedCounters::add(std::size_t index, std::uint64_t number) {
  at(index).fetch_add(number, std::memory_order_relaxed);
}

std::uint64_t SharedCounters::get(std::size_t index) const { return at(index).load(std::memory_order_relaxed); }

SharedCounters::Number& SharedCounters::at(std::size_t index) const {
  if (index >= numbers_.size()) throw std::out_of_range{"no such counter"};
  return numbers_[index];
}

}  // namespace netlib
