// Numbers that processes count up together, in a file that each maps into its memory: nobody waits for anybody, and
// who is killed leaves whole numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "netlib/base/result.h"

namespace netlib {

class SharedCounters {
 public:
  /// As many as a page has room for.
  static constexpr std::size_t kCount = 512;

  /// Of that file, which is made with zeros where it is missing, and stays mapped until the process ends. `path` is
  /// absolute and its directory writable by this user alone. EBADMSG for a file of another size. ENOENT where the
  /// directory is missing; EOPNOTSUPP where its file system makes no files without a name (O_TMPFILE).
  static Result<SharedCounters> open(const std::string& path);

  /// `index` is below kCount; std::out_of_range elsewhere.
  void add(std::size_t index, std::uint64_t number = 1);
  std::uint64_t get(std::size_t index) const;

 private:
  using Number = std::atomic<std::uint64_t>;
  static_assert(Number::is_always_lock_free);

  explicit SharedCounters(std::span<Number> numbers) : numbers_(numbers) {}
  Number& at(std::size_t index) const;

  std::span<Number> numbers_;
};

}  // namespace netlib
