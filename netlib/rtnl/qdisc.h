// Qdiscs of a link: a token bucket at its root (egress), and filters at its ingress. See tc(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "netlib/netlink/socket.h"

namespace netlib::qdisc {

/// tc-tbf(8). Packet lengths include the Ethernet header.
struct TokenBucket {
  std::uint64_t rate;   ///< bytes a second; not 0
  std::uint32_t burst;  ///< bytes; longer packets are dropped
  std::uint32_t limit;  ///< bytes in the queue; further packets are dropped

  friend bool operator==(const TokenBucket&, const TokenBucket&) = default;
};

/// Major number of a qdisc's handle, or priority of a filter: distinguishes those of pons from others. Not 0, the
/// handle of the kernel's default qdiscs, and not 0xffff.
using Mark = std::uint16_t;

struct Qdisc {
  std::string kind;  ///< "tbf", "htb", …
  Mark mark = 0;
  std::optional<std::uint64_t> rate = std::nullopt;   ///< of a tbf; see TokenBucket
  std::optional<std::uint32_t> limit = std::nullopt;  ///< likewise. The kernel reports the burst only as time
};

/// The root qdisc; nothing if it is the kernel's default one. ENODEV: no such link.
Result<std::optional<Qdisc>> findRoot(Socket& socket, unsigned linkIndex);

/// Creates a tbf root qdisc. EEXIST if the link has a root qdisc other than the kernel's default.
Result<> createRoot(Socket& socket, unsigned linkIndex, Mark mark, const TokenBucket& bucket);

/// Missing if the root qdisc does not have this mark. ENODEV: no such link.
Result<> removeRoot(Socket& socket, unsigned linkIndex, Mark mark);

/// Creates the ingress qdisc. EEXIST if there is one, or a clsact, which accepts the same filters.
Result<> createIngress(Socket& socket, unsigned linkIndex);

/// Removes the ingress qdisc unless it has filters or is a clsact: then another program uses it. Missing if there is
/// none.
Result<> removeIdleIngress(Socket& socket, unsigned linkIndex);

/// Redirects every packet received by the link to the egress of another link (tc-mirred(8)); an ifb then returns it to
/// the ingress path. The kernel does not refuse a second filter with the same mark. EINVAL: there is no ingress qdisc.
Result<> createRedirect(Socket& socket, unsigned linkIndex, Mark mark, unsigned targetIndex);

/// The index of the link that the filter of this mark redirects to, 0 if it has been removed. Nothing without such
/// filter.
Result<std::optional<unsigned>> findRedirect(Socket& socket, unsigned linkIndex, Mark mark);

/// Missing if there is none.
Result<> removeRedirect(Socket& socket, unsigned linkIndex, Mark mark);

}  // namespace netlib::qdisc
