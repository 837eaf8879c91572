// Queueing disciplines of a link: what shapes the packets that leave it, and what steers those that arrive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "netlib/netlink/socket.h"

namespace netlib::qdisc {

/// tc-tbf(8): packets leave at `rate` on average, and `burst` at once after a pause. Lengths count the Ethernet header.
struct TokenBucket {
  std::uint64_t rate;   ///< bytes a second; not 0
  std::uint32_t burst;  ///< bytes; a packet that is longer never passes
  std::uint32_t limit;  ///< bytes that may wait; packets beyond are dropped

  friend bool operator==(const TokenBucket&, const TokenBucket&) = default;
};

/// The major number of a qdisc's handle or the priority of a filter, by which its maker tells it from others'.
/// Not 0, which is what the kernel's own bear, and not 0xffff.
using Mark = std::uint16_t;

/// What stands at one of a link's two hooks.
struct Qdisc {
  std::string kind;  ///< "tbf", "htb", …
  Mark mark = 0;
  std::optional<std::uint64_t> rate = std::nullopt;   ///< of a token bucket; see TokenBucket
  std::optional<std::uint32_t> limit = std::nullopt;  ///< likewise. The burst is not told, but as the time it takes
};

/// The root qdisc: nothing where the link has only what the kernel gives it by itself. ENODEV: no such link.
Result<std::optional<Qdisc>> findRoot(Socket& socket, unsigned linkIndex);

/// Makes a token bucket the root qdisc. EEXIST where the link has one that is not the kernel's own.
Result<> createRoot(Socket& socket, unsigned linkIndex, Mark mark, const TokenBucket& bucket);

/// ENOENT where the root qdisc does not bear this mark.
Result<> removeRoot(Socket& socket, unsigned linkIndex, Mark mark);

/// The place for filters of what arrives. EEXIST where there is one, or a clsact, which holds such filters as well.
Result<> createIngress(Socket& socket, unsigned linkIndex);

/// Takes the ingress qdisc away unless it has filters, or is a clsact: then it serves somebody else. ENOENT where there
/// is none.
Result<> removeIdleIngress(Socket& socket, unsigned linkIndex);

/// Every packet that arrives at the link goes to another link's way out (and from there on, if that is an ifb, as if it
/// had just arrived). The kernel makes a second one of the same mark as well. EINVAL: there is no ingress qdisc.
Result<> createRedirect(Socket& socket, unsigned linkIndex, Mark mark, unsigned targetIndex);

/// The link that the filter of this mark redirects to: 0 where that link is gone. Nothing where there is no such
/// filter.
Result<std::optional<unsigned>> findRedirect(Socket& socket, unsigned linkIndex, Mark mark);

/// ENOENT where there is none.
Result<> removeRedirect(Socket& socket, unsigned linkIndex, Mark mark);

}  // namespace netlib::qdisc
