// An open file descriptor with one owner.
#pragma once

#include <string>
#include <utility>

#include <unistd.h>

namespace netlib {

/// The destructor closes the descriptor. Move-only, and without a conversion to int.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  /// The descriptor, still owned by this object; -1 for none.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Leads to the very file, whatever its own path leads to by now (proc(5)); in this process only.
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

  void reset() {
    // Linux frees the descriptor also when close(2) fails.
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace netlib
