#include <algorithm>
#include <limits>

#include <unistd.h>

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

/// Checked first: after another error everything with our mark is removed, which must not be another plugin's.
netlib::Result<> requireNoForeignQdisc(Host& host, const Attachment& attachment, const link::Link& veth) {
  const auto root = TRY(qdisc::findRoot(host.route, veth.index));
  if (attachment.bandwidth->ingress && root) {
    return netlib::fail(netlib::Cause::InUse,
                        "link " + veth.name + " has a " + root->kind + " qdisc that pons has not created");
  }
  if (!attachment.bandwidth->egress) return {};
  if (TRY(qdisc::findRedirect(host.route, veth.index, kMark))) {
    return netlib::fail(netlib::Cause::InUse, "link " + veth.name + " already has an ingress redirect");
  }
  return netlib::ignoring(ENODEV, removeOrphan(host, ifbName(attachment.key), "ifb"));
}

netlib::Result<> redirect(Host& host, const link::Link& veth, const link::Link& ifb) {
  const auto ingress = qdisc::createIngress(host.route, veth.index);
  if (!ingress && !ingress.failedWith(EEXIST)) return ingress;
  return qdisc::createRedirect(host.route, veth.index, kMark, ifb.index);
}

/// The kernel loads the module for the first one, and the module makes the links ifb0 and ifb1 (its parameter numifbs).
/// They are removed, unless they were there before.
netlib::Result<> createIfb(Host& host, const link::NewIfb& ifb) {
  const bool loads = access("/proc/sys/kernel/modprobe", F_OK) == 0 && access("/sys/module/ifb", F_OK) != 0;
  std::vector<netlib::IfName> others;
  for (const char* text : {"ifb0", "ifb1"}) {
    const netlib::IfName name = *netlib::IfName::parse(text);
    if (loads && link::find(host.route, name).failedWith(ENODEV)) others.push_back(name);
  }
  TRY(link::createIfb(host.route, ifb));
  for (const netlib::IfName& name : others) {
    const auto made = link::find(host.route, name);
    const bool isIdle = made && made->kind == "ifb" && !made->up() && made->alias.empty();
    if (isIdle) TRY(netlib::ignoring(ENODEV, link::remove(host.route, made->index)));
  }
  return {};
}

netlib::Result<> limit(Host& host, const Attachment& attachment, const link::Link& veth) {
  const auto& [ingress, egress] = *attachment.bandwidth;
  if (ingress) TRY(qdisc::createRoot(host.route, veth.index, kMark, bucketFor(*ingress, veth)));
  if (!egress) return {};
  const netlib::IfName name = ifbName(attachment.key);
  TRY(createIfb(host, {.name = name, .alias = attachmentAlias(host.ledger.path(), attachment.key), .mtu = veth.mtu}));
  const link::Link ifb = TRY(link::find(host.route, name));
  TRY(qdisc::createRoot(host.route, ifb.index, kMark, bucketFor(*egress, veth)));
  return redirect(host, veth, ifb);
}

netlib::Result<> ignoringGone(const netlib::Result<>& removed) {
  return netlib::ignoring(netlib::Cause::Missing, netlib::ignoring(ENODEV, removed));
}

netlib::Result<> unlimit(Host& host, const link::Link& veth) {
  TRY(ignoringGone(qdisc::removeRedirect(host.route, veth.index, kMark)));
  TRY(ignoringGone(qdisc::removeIdleIngress(host.route, veth.index)));
  return ignoringGone(qdisc::removeRoot(host.route, veth.index, kMark));
}

/// The kernel reports the burst only as part of the limit.
std::string textOf(std::uint64_t rate, std::uint32_t limit) {
  return std::to_string(rate) + " bytes a second (queue " + std::to_string(limit) + " bytes)";
}

netlib::Result<> compareBucket(Differences& found, Host& host, const link::Link& of,
                               const qdisc::TokenBucket& expected) {
  const auto root = TRY(qdisc::findRoot(host.route, of.index));
  const bool isOurs = root && root->mark == kMark;
  addIfDiffers(found,
               {.what = "rate limit on " + of.name,
                .expected = textOf(expected.rate, expected.limit),
                .actual = isOurs ? textOf(root->rate.value_or(0), root->limit.value_or(0)) : std::string{kMissing}});
  return {};
}

netlib::Result<> compareEgress(Differences& found, Host& host, const Attachment& attachment, const link::Link& veth) {
  const netlib::IfName name = ifbName(attachment.key);
  const auto ifb = link::find(host.route, name);
  if (ifb.failedWith(ENODEV)) {
    found.push_back(missing("ifb " + name.toString()));
    return {};
  }
  if (!ifb) return netlib::fail(ifb.error());
  addIfDiffers(found, {.what = "ifb " + name.toString(), .expected = "up", .actual = ifb->up() ? "up" : "down"});
  TRY(compareBucket(found, host, *ifb, bucketFor(*attachment.bandwidth->egress, veth)));
  if (TRY(qdisc::findRedirect(host.route, veth.index, kMark)) != ifb->index) {
    found.push_back(missing("redirection of ingress of " + veth.name + " to " + name.toString()));
  }
  return {};
}

class BandwidthLimited final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "rate limits on " + attachment_.hostVeth.toString(); }

  netlib::Result<> apply(Host& host) const override {
    const link::Link veth = TRY(link::find(host.route, attachment_.hostVeth));
    TRY(requireNoForeignQdisc(host, attachment_, veth));
    return limit(host, attachment_, veth);
  }

  netlib::Result<> undo(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (!veth && !veth.failedWith(ENODEV)) return netlib::fail(veth.error());
    if (veth) TRY(unlimit(host, *veth));
    return removeNamed(host, ifbName(attachment_.key));
  }

  netlib::Result<Differences> verify(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (veth.failedWith(ENODEV)) {
      return Differences{missing("veth " + attachment_.hostVeth.toString(), Remedy::RestartContainer)};
    }
    if (!veth) return netlib::fail(veth.error());
    const auto& [ingress, egress] = *attachment_.bandwidth;
    Differences found;
    if (ingress) TRY(compareBucket(found, host, *veth, bucketFor(*ingress, *veth)));
    if (egress) TRY(compareEgress(found, host, attachment_, *veth));
    return found;
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
