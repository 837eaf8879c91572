#include "plugin/steps/bandwidth_limited.h"

#include <algorithm>
#include <limits>

#include "netlib/rtnl/qdisc.h"

#include "plugin/context/link_owner.h"

namespace pons {

namespace link = netlib::link;
namespace qdisc = netlib::qdisc;

namespace {

constexpr qdisc::Mark kMark = 0x706f;  // "po": told from others' on a link that another plugin made

/// `veth` is where the packets come from, and so tells how long they may be.
qdisc::TokenBucket bucketFor(const RateLimit& limit, const link::Link& veth) {
  constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t kHeader = 18;         // Ethernet with a VLAN tag
  constexpr std::uint64_t kQueuesASecond = 40;  // what may wait passes within 25 ms, as with the reference plugin
  const std::uint64_t rate = limit.rate / 8;
  const std::uint64_t burst = std::clamp<std::uint64_t>(limit.burst / 8, veth.mtu + kHeader, kMaxBytes);
  const std::uint64_t queue = std::min(burst + rate / kQueuesASecond, kMaxBytes);
  return {.rate = rate, .burst = static_cast<std::uint32_t>(burst), .limit = static_cast<std::uint32_t>(queue)};
}

/// Before anything is made: after a failure everything that bears our mark goes again, and must not be of another.
netlib::Result<> makeWay(Host& host, const Attachment& attachment, const link::Link& veth) {
  const auto root = TRY(qdisc::findRoot(host.route, veth.index));
  if (attachment.bandwidth->ingress && root) {
    return netlib::fail(EEXIST, "link " + veth.name + " has a " + root->kind + " qdisc of somebody else already");
  }
  if (!attachment.bandwidth->egress) return {};
  if (TRY(qdisc::findRedirect(host.route, veth.index, kMark))) {
    return netlib::fail(EEXIST, "what arrives at link " + veth.name + " is redirected already");
  }
  const auto cleared = removeLeftover(host, ifbName(attachment.key), "ifb");
  return cleared.failedWith(ENODEV) ? netlib::Result<>{} : cleared;
}

netlib::Result<> redirect(Host& host, const link::Link& veth, const link::Link& ifb) {
  const auto ingress = qdisc::createIngress(host.route, veth.index);
  if (!ingress && !ingress.failedWith(EEXIST)) return ingress;
  return qdisc::createRedirect(host.route, veth.index, kMark, ifb.index);
}

netlib::Result<> limit(Host& host, const Attachment& attachment, const link::Link& veth) {
  const auto& [ingress, egress] = *attachment.bandwidth;
  if (ingress) TRY(qdisc::createRoot(host.route, veth.index, kMark, bucketFor(*ingress, veth)));
  if (!egress) return {};
  const netlib::IfName name = ifbName(attachment.key);
  TRY(link::createIfb(host.route, {.name = name, .alias = aliasOf(attachment.key), .mtu = veth.mtu}));
  const link::Link ifb = TRY(link::find(host.route, name));
  TRY(qdisc::createRoot(host.route, ifb.index, kMark, bucketFor(*egress, veth)));
  return redirect(host, veth, ifb);
}

netlib::Result<> unlessGone(netlib::Result<> removed) {
  if (removed.failedWith(ENOENT) || removed.failedWith(ENODEV)) return {};
  return removed;
}

netlib::Result<> unlimit(Host& host, const link::Link& veth) {
  TRY(unlessGone(qdisc::removeRedirect(host.route, veth.index, kMark)));
  TRY(unlessGone(qdisc::removeIdleIngress(host.route, veth.index)));
  return unlessGone(qdisc::removeRoot(host.route, veth.index, kMark));
}

netlib::Result<> verifyBucket(Host& host, const link::Link& of, const qdisc::TokenBucket& expected) {
  const auto root = TRY(qdisc::findRoot(host.route, of.index));
  if (!root || root->mark != kMark) return broken("the rate limit on " + of.name + " is gone");
  // The kernel tells no burst, but the limit contains it.
  if (root->rate == expected.rate && root->limit == expected.limit) return {};
  return broken("the rate limit on " + of.name + " is another than " + std::to_string(expected.rate) +
                " bytes a second");
}

netlib::Result<> verifyEgress(Host& host, const Attachment& attachment, const link::Link& veth) {
  const netlib::IfName name = ifbName(attachment.key);
  const auto ifb = link::find(host.route, name);
  if (ifb.failedWith(ENODEV)) return broken("ifb " + name.toString() + " is gone");
  if (!ifb) return netlib::fail(ifb.error());
  if (!ifb->up()) return broken("ifb " + name.toString() + " is down");
  TRY(verifyBucket(host, *ifb, bucketFor(*attachment.bandwidth->egress, veth)));
  if (TRY(qdisc::findRedirect(host.route, veth.index, kMark)) == ifb->index) return {};
  return broken("what arrives at " + veth.name + " is not redirected to " + name.toString());
}

}  // namespace

std::string BandwidthLimited::name() const { return "rate limits on " + attachment_.hostVeth.toString(); }

netlib::Result<> BandwidthLimited::apply(Host& host) const {
  const link::Link veth = TRY(link::find(host.route, attachment_.hostVeth));
  TRY(makeWay(host, attachment_, veth));
  auto limited = limit(host, attachment_, veth);
  // A part of it may be there. The error that matters is the first one.
  if (!limited) static_cast<void>(undo(host));
  return limited;
}

netlib::Result<> BandwidthLimited::undo(Host& host) const {
  const auto veth = link::find(host.route, attachment_.hostVeth);
  if (!veth && !veth.failedWith(ENODEV)) return netlib::fail(veth.error());
  if (veth) TRY(unlimit(host, *veth));
  return unlessGone(link::remove(host.route, ifbName(attachment_.key)));
}

netlib::Result<> BandwidthLimited::verify(Host& host) const {
  const auto veth = link::find(host.route, attachment_.hostVeth);
  if (veth.failedWith(ENODEV)) return broken("veth " + attachment_.hostVeth.toString() + " is gone");
  if (!veth) return netlib::fail(veth.error());
  const auto& [ingress, egress] = *attachment_.bandwidth;
  if (ingress) TRY(verifyBucket(host, *veth, bucketFor(*ingress, *veth)));
  return egress ? verifyEgress(host, attachment_, *veth) : netlib::Result<>{};
}

netlib::Result<> BandwidthLimited::repair(Host& host) const {
  TRY(undo(host));
  return apply(host);
}

}  // namespace pons
