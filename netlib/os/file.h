// Whole contents of open files.
#pragma once

#include <string>
#include <string_view>

#include "netlib/base/result.h"

namespace netlib {

/// Everything from the descriptor's position to its end, of a file, a pipe or a terminal: a short read is not the end.
/// Blocks as read(2) does. `limit` in bytes: EFBIG beyond it. `what` names the file in messages.
Result<std::string> readAll(int fd, std::size_t limit, const std::string& what);

/// Writes all of `text` at the descriptor's position, by as many system calls as it takes. EPIPE where a reader is gone
/// and SIGPIPE is ignored.
Result<> writeAll(int fd, std::string_view text, const std::string& what);

/// Writes all of `content` at `offset` by one pwrite(2), so that a process that is killed has written all of it or
/// nothing; ENOSPC where there was room for a part only.
Result<> writeAtOnce(int fd, const std::string& content, off_t offset, const std::string& what);

}  // namespace netlib
