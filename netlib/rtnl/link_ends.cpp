// Which two links of different namespaces are the ends of one veth.
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/rtnl/link.h"

namespace netlib::link {

namespace {

/// The number that the socket's namespace has for the one with that descriptor; nothing where it never met it.
Result<std::optional<std::uint32_t>> numberOf(Socket& socket, int netns) {
  Batch batch;
  batch.begin(RTM_GETNSID, 0, rtgenmsg{.rtgen_family = AF_UNSPEC}, "number a network namespace");
  batch.putU32(NETNSA_FD, static_cast<std::uint32_t>(netns));
  const auto answers = TRY(socket.request(batch));
  if (answers.front().messages.empty()) return fail(EBADMSG, "the kernel's answer numbers no namespace");
  const auto number = answers.front().messages.front().attributes<rtgenmsg>().u32(NETNSA_NSID);
  if (!number || static_cast<std::int32_t>(*number) == NETNSA_NSID_NOT_ASSIGNED) return std::optional<std::uint32_t>{};
  return number;
}

}  // namespace

Result<Link> findOtherEnd(Socket& socket, int netns, const Link& inside) {
  const std::string what = "the other end of " + inside.name;
  if (inside.kind != "veth") return fail(ENODEV, what + ": it is no veth");
  const auto number = TRY(numberOf(socket, netns));
  Link end = TRY(find(socket, inside.peer));
  // Indexes repeat from namespace to namespace: only with its number does the one name a link.
  const bool same = number && end.kind == "veth" && end.peer == inside.index && end.peerNetns == number;
  if (!same) return fail(ENODEV, what + " is not in this namespace");
  return end;
}

}  // namespace netlib::link
