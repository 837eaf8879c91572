// Whole contents of open files.
#pragma once

#include <string>
#include <string_view>

#include "netlib/base/result.h"

namespace netlib {

/// Reads from the descriptor's position until read(2) returns 0, so also from pipes and terminals; blocks as read(2)
/// does. `limit` in bytes: Damaged beyond it. `what` names the file in messages.
Result<std::string> readAll(int fd, std::size_t limit, const std::string& what);

/// The same of a regular file, whose first short read is its end: one read(2) less.
Result<std::string> readRegular(int fd, std::size_t limit, const std::string& what);

/// Writes all of `text` at the descriptor's position, with as many write(2) calls as needed. EPIPE if there is no
/// reader and SIGPIPE is ignored.
Result<> writeAll(int fd, std::string_view text, const std::string& what);

/// Writes `content` at `offset` with one pwrite(2): a process that is killed has written all of it or nothing. ENOSPC
/// if only a part was written.
Result<> writeAtOnce(int fd, const std::string& content, off_t offset, const std::string& what);

}  // namespace netlib
