#include "netlib/os/sysctl.h"

#include "plugin/context/bridge_originals.h"
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
    return netlib::fail(netlib::Cause::Unsupported,
                        "\"egressPolicy\" needs the kernel module br_netfilter: load it by \"modprobe br_netfilter\"");
  }
  return known ? netlib::Result<>{} : netlib::Result<>{netlib::fail(known.error())};
}

netlib::Result<> set(Host& host, unsigned bridge, BrNetfilter filter) {
  netlib::Batch batch;
  link::appendSetBrNetfilter(batch, bridge, filter);
  TRY(host.route.request(batch));
  host.bridge.brNetfilter = filter;
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
    TRY(saveOriginalsOf(host, host.bridge, sharedState(),
                        {{kIpv4, textOf(before.ipv4)}, {kIpv6, textOf(before.ipv6)}}));
    return set(host, host.bridge.index, kOn);
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
    // Another program that has switched it off meanwhile decides.
    if (bridge && bridge->brNetfilter == kOn) {
      auto originals = TRY(originalsOf(host, *bridge, sharedState()));
      if (!originals.empty())
        TRY(set(host, bridge->index, {.ipv4 = originals[kIpv4] == "1", .ipv6 = originals[kIpv6] == "1"}));
    }
    return host.ledger.forgetOriginals(sharedState());
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const auto module = requireModule();
    if (module.failedWith(netlib::Cause::Unsupported)) {
      return Differences{missing("kernel module br_netfilter", Remedy::LoadModule)};
    }
    if (!module) return netlib::fail(module.error());
    Differences found;
    const auto compare = [&](const char* attribute, bool on) {
      addIfDiffers(found, {.what = std::string{attribute} + " of " + name(), .expected = "1", .actual = textOf(on)});
    };
    compare("nf_call_iptables", host.bridge.brNetfilter.ipv4);
    compare("nf_call_ip6tables", host.bridge.brNetfilter.ipv6);
    return found;
  }
};

}  // namespace

StepPointer brNetfilterEnabled(const Attachment& attachment) {
  return std::make_unique<const BrNetfilterEnabled>(attachment);
}

}  // namespace pons
