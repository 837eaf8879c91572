#include "netlib/os/sysctl.h"

#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
using link::BrNetfilter;

namespace {

constexpr const char* kIpv4 = "ipv4";
constexpr const char* kIpv6 = "ipv6";

/// The bridge attributes exist without the module, too.
netlib::Result<> requireModule() {
  const auto known = netlib::sysctl::read("net/bridge/bridge-nf-call-iptables");
  if (known.failedWith(ENOENT)) {
    return netlib::fail(EOPNOTSUPP,
                        "\"egressPolicy\" needs the kernel module br_netfilter: load it by \"modprobe br_netfilter\"");
  }
  return known ? netlib::Result<>{} : netlib::Result<>{netlib::fail(known.error())};
}

netlib::Result<> set(Host& host, unsigned bridge, BrNetfilter filter) {
  netlib::Batch batch;
  link::appendSetBrNetfilter(batch, bridge, filter);
  TRY(host.route.request(batch));
  return {};
}

constexpr BrNetfilter kOn{.ipv4 = true, .ipv6 = true};

std::string textOf(bool on) { return on ? "1" : "0"; }

class BrNetfilterEnabled final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "br_netfilter on bridge " + attachment_.bridge.name.toString(); }

  std::string sharedState() const override { return shared_state::brNetfilter(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    TRY(requireModule());
    const BrNetfilter before = host.bridge.brNetfilter;
    if (before == kOn) return {};
    const auto lock = TRY(host.ledger.lockHost());
    TRY(host.ledger.saveOriginals(sharedState(), {{kIpv4, textOf(before.ipv4)}, {kIpv6, textOf(before.ipv6)}}));
    return set(host, host.bridge.index, kOn);
  }

  netlib::Result<> undo(Host& host) const override {
    auto originals = TRY(host.ledger.savedOriginals(sharedState()));
    if (originals.empty()) return {};
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
    if (bridge) TRY(set(host, bridge->index, {.ipv4 = originals[kIpv4] == "1", .ipv6 = originals[kIpv6] == "1"}));
    return host.ledger.forgetOriginals(sharedState());
  }

  netlib::Result<> verify(Host& host) const override {
    const auto module = requireModule();
    if (!module) return broken(module.error().message);
    if (host.bridge.brNetfilter == kOn) return {};
    return broken(name() + " is off (nf_call_iptables, nf_call_ip6tables)");
  }
};

}  // namespace

StepPointer brNetfilterEnabled(const Attachment& attachment) {
  return std::make_unique<const BrNetfilterEnabled>(attachment);
}

}  // namespace pons
