// Counters shared by processes: atomic integers in a file that each process maps (MAP_SHARED). Without locks; a process
// that is killed leaves consistent values.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "netlib/base/result.h"

namespace netlib {

class SharedCounters {
 public:
  /// One page.
  static constexpr std::size_t kCount = 512;

  /// Opens the file, or creates it with zeros; it stays mapped until the process exits. `path` is absolute, its
  /// directory writable by this user only. Damaged: a file of another size. ENOENT: no such directory. EOPNOTSUPP: its
  /// file system has no O_TMPFILE.
  static Result<SharedCounters> open(const std::string& path);

  /// `index` is below kCount, otherwise std::out_of_range.
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
