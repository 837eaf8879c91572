#include <algorithm>
#include <limits>

#include "netlib/rtnl/qdisc.h"

#include "plugin/context/link_owner.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
namespace qdisc = netlib::qdisc;

namespace {

constexpr qdisc::Mark kMark = 0x706f;  // "po": marks what pons adds to a link that another plugin has created

/// `veth` sends the packets, so its MTU bounds their length.
qdisc::TokenBucket bucketFor(const RateLimit& limit, const link::Link& veth) {
  constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t kHeader = 18;         // Ethernet with a VLAN tag
  constexpr std::uint64_t kQueuesASecond = 40;  // a full queue drains within 25 ms, as with the reference plugin
  const std::uint64_t rate = limit.rate / 8;
  const std::uint64_t burst = std::clamp<std::uint64_t>(limit.burst / 8, veth.mtu + kHeader, kMaxBytes);
  const std::uint64_t queue = std::min(burst + rate / kQueuesASecond, kMaxBytes);
  return {.rate = rate, .burst = static_cast<std::uint32_t>(burst), .limit = static_cast<std::uint32_t>(queue)};
}

/// Checked first: after an error everything with our mark is removed, which must not be another plugin's.
netlib::Result<> requireNoForeignQdisc(Host& host, const Attachment& attachment, const link::Link& veth) {
  const auto root = TRY(qdisc::findRoot(host.route, veth.index));
  if (attachment.bandwidth->ingress && root) {
    return netlib::fail(EEXIST, "link " + veth.name + " has a " + root->kind + " qdisc that pons has not created");
  }
  if (!attachment.bandwidth->egress) return {};
  if (TRY(qdisc::findRedirect(host.route, veth.index, kMark))) {
    return netlib::fail(EEXIST, "link " + veth.name + " already has an ingress redirect");
  }
  return netlib::ignoring(ENODEV, removeOrphan(host, ifbName(attachment.key), "ifb"));
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

netlib::Result<> ignoringGone(const netlib::Result<>& removed) {
  return netlib::ignoring(ENOENT, netlib::ignoring(ENODEV, removed));
}

netlib::Result<> unlimit(Host& host, const link::Link& veth) {
  TRY(ignoringGone(qdisc::removeRedirect(host.route, veth.index, kMark)));
  TRY(ignoringGone(qdisc::removeIdleIngress(host.route, veth.index)));
  return ignoringGone(qdisc::removeRoot(host.route, veth.index, kMark));
}

netlib::Result<> verifyBucket(Host& host, const link::Link& of, const qdisc::TokenBucket& expected) {
  const auto root = TRY(qdisc::findRoot(host.route, of.index));
  if (!root || root->mark != kMark) return broken("the rate limit on " + of.name + " is gone");
  // The kernel reports the burst only as part of the limit.
  if (root->rate == expected.rate && root->limit == expected.limit) return {};
  return broken("the rate limit on " + of.name + " is " + std::to_string(root->rate.value_or(0)) +
                " bytes a second (queue " + std::to_string(root->limit.value_or(0)) + " bytes), expected " +
                std::to_string(expected.rate) + " (" + std::to_string(expected.limit) + ")");
}

netlib::Result<> verifyEgress(Host& host, const Attachment& attachment, const link::Link& veth) {
  const netlib::IfName name = ifbName(attachment.key);
  const auto ifb = link::find(host.route, name);
  if (ifb.failedWith(ENODEV)) return broken("ifb " + name.toString() + " is gone");
  if (!ifb) return netlib::fail(ifb.error());
  if (!ifb->up()) return broken("ifb " + name.toString() + " is down");
  TRY(verifyBucket(host, *ifb, bucketFor(*attachment.bandwidth->egress, veth)));
  if (TRY(qdisc::findRedirect(host.route, veth.index, kMark)) == ifb->index) return {};
  return broken("ingress of " + veth.name + " is not redirected to " + name.toString());
}

class BandwidthLimited final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "rate limits on " + attachment_.hostVeth.toString(); }

  netlib::Result<> apply(Host& host) const override {
    const link::Link veth = TRY(link::find(host.route, attachment_.hostVeth));
    TRY(requireNoForeignQdisc(host, attachment_, veth));
    auto limited = limit(host, attachment_, veth);
    // Some of it may exist; the first error is the one to report.
    if (!limited) static_cast<void>(undo(host));
    return limited;
  }

  netlib::Result<> undo(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (!veth && !veth.failedWith(ENODEV)) return netlib::fail(veth.error());
    if (veth) TRY(unlimit(host, *veth));
    return ignoringGone(link::remove(host.route, ifbName(attachment_.key)));
  }

  netlib::Result<> verify(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (veth.failedWith(ENODEV)) return broken("veth " + attachment_.hostVeth.toString() + " is gone");
    if (!veth) return netlib::fail(veth.error());
    const auto& [ingress, egress] = *attachment_.bandwidth;
    if (ingress) TRY(verifyBucket(host, *veth, bucketFor(*ingress, *veth)));
    return egress ? verifyEgress(host, attachment_, *veth) : netlib::Result<>{};
  }

  netlib::Result<> repair(Host& host) const override {
    TRY(undo(host));
    return apply(host);
  }
};

}  // namespace

StepPointer bandwidthLimited(const Attachment& attachment) {
  return std::make_unique<const BandwidthLimited>(attachment);
}

}  // namespace pons
