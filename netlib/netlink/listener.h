// Notifications of the kernel: that something changed, not what. For programs that look for themselves then.
#pragma once

#include <cstdint>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// Of the network namespace in which it was opened. Not thread-safe.
class Listener {
 public:
  enum class Group : std::uint8_t {
    Links,    ///< RTNLGRP_LINK: a link was made, changed or deleted; also its flags, master and alias
    NfTables  ///< NFNLGRP_NFTABLES: any committed transaction, also that of "nft flush ruleset"; needs CAP_NET_ADMIN
  };
  /// The errno of socket(2), bind(2) or setsockopt(2): EPERM without the capability.
  static Result<Listener> open(Group group);

  /// Readable where drain() would return true.
  int fd() const { return fd_.get(); }

  /// Discards what is queued, without waiting. True if there was any, or if the kernel had to drop some (ENOBUFS).
  bool drain();

 private:
  explicit Listener(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace netlib
