// One open file descriptor with one owner.
#pragma once

#include <utility>

#include <unistd.h>

namespace netlib {

/// Closes its descriptor when it goes. Move-only and without an implicit int, so that ownership is always visible.
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

  /// The descriptor, still owned here; -1 where there is none.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  void reset() {
    // close() frees the descriptor whatever it answers, and nothing here is written that a late error could lose.
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace netlib
