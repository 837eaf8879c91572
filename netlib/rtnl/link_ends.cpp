// The peer of a veth in another network namespace.
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/rtnl/link.h"

namespace netlib::link {

namespace {

/// The nsid of the namespace with that descriptor in the socket's namespace; nothing if none is assigned.
Result<std::optional<std::uint32_t>> nsidOf(Socket& socket, int netns) {
  Batch batch;
  batch.begin(RTM_GETNSID, 0, rtgenmsg{.rtgen_family = AF_UNSPEC}, "get the nsid of a network namespace");
  batch.putU32(NETNSA_FD, static_cast<std::uint32_t>(netns));
  const auto answers = TRY(socket.request(batch));
  if (answers.front().messages.empty()) return fail(Cause::Damaged, "no nsid in the kernel's answer");
  const auto nsid = answers.front().messages.front().attributes<rtgenmsg>().u32(NETNSA_NSID);
  if (!nsid || static_cast<std::int32_t>(*nsid) == NETNSA_NSID_NOT_ASSIGNED) return std::optional<std::uint32_t>{};
  return nsid;
}

}  // namespace

Result<Link> findPeer(Socket& socket, int netns, const Link& inside) {
  const std::string what = "peer of " + inside.name;
  if (inside.kind != "veth") return fail(Cause::Missing, what + ": not a veth");
  const auto nsid = TRY(nsidOf(socket, netns));
  auto peer = find(socket, inside.peer);
  if (!peer && !peer.failedWith(ENODEV)) return peer;
  // The same index exists in other namespaces too: only nsid and index together identify a link.
  const bool same = nsid && peer && peer->kind == "veth" && peer->peer == inside.index && peer->peerNetns == nsid;
  if (!same) return fail(Cause::Missing, what + " is not in this namespace");
  return peer;
}

}  // namespace netlib::link
