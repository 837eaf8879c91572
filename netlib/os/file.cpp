#include "netlib/os/file.h"

#include <array>

#include <unistd.h>

namespace netlib {

namespace {

constexpr std::size_t kPart = 4096;  // bytes

/// The end is where read(2) returns less than `enough`.
Result<std::string> readUntil(std::size_t enough, int fd, std::size_t limit, const std::string& what) {
  std::string content;
  std::array<char, kPart> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read()
  for (;;) {
    const ssize_t length = read(fd, part.data(), part.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return failErrno("cannot read " + what);
    content.append(part.data(), static_cast<std::size_t>(length));
    if (content.size() > limit)
      return fail(Cause::Damaged, what + " is larger than " + std::to_string(limit) + " bytes");
    if (static_cast<std::size_t>(length) < enough) return content;
  }
}

}  // namespace

Result<std::string> readAll(int fd, std::size_t limit, const std::string& what) {
  return readUntil(1, fd, limit, what);
}

Result<std::string> readRegular(int fd, std::size_t limit, const std::string& what) {
  return readUntil(kPart, fd, limit, what);
}

Result<> writeAll(int fd, std::string_view text, const std::string& what) {
  while (!text.empty()) {
    const ssize_t length = write(fd, text.data(), text.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return failErrno("cannot write " + what);
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return {};
}

Result<> writeAtOnce(int fd, const std::string& content, off_t offset, const std::string& what) {
  const ssize_t written = pwrite(fd, content.data(), content.size(), offset);
  if (written < 0) return failErrno("cannot write " + what);
  if (static_cast<std::size_t>(written) != content.size())
    return fail(Error::fromErrno("cannot write all of " + what, ENOSPC));
  return {};
}

}  // namespace netlib
