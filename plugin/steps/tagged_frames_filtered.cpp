#include <array>
#include <map>

#include "netlib/os/sysctl.h"

#include "plugin/steps/steps.h"

namespace pons {

namespace sysctl = netlib::sysctl;

namespace {

/// br_netfilter lets frames with a VLAN tag pass IP's hooks, and there as packets of the bridge: egress policies name
/// it.
constexpr std::array kWanted{std::pair{"net/bridge/bridge-nf-filter-vlan-tagged", "1"},
                             std::pair{"net/bridge/bridge-nf-pass-vlan-input-dev", "0"}};

class TaggedFramesFiltered final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "br_netfilter of frames with a VLAN tag"; }
  std::string sharedState() const override { return std::string{shared_state::kTaggedFrames}; }

  netlib::Result<> apply(Host& host) const override {
    if (TRY(verify(host)).empty()) return {};
    const auto lock = TRY(host.ledger.lockHost());
    std::map<std::string, std::string> originals;
    for (const auto& [name, value] : kWanted) originals[name] = TRY(sysctl::read(name));
    TRY(host.ledger.saveOriginals(sharedState(), originals));
    for (const auto& [name, value] : kWanted) TRY(sysctl::write(name, value));
    return {};
  }

  netlib::Result<> undo(Host& host) const override {
    const auto originals = TRY(host.ledger.savedOriginals(sharedState()));
    for (const auto& [name, value] : kWanted) {
      const auto original = originals.find(name);
      const auto current = sysctl::read(name);
      // Another program that has changed it meanwhile decides.
      if (original != originals.end() && current && *current == value) TRY(sysctl::write(name, original->second));
    }
    return host.ledger.forgetOriginals(sharedState());
  }

  netlib::Result<Differences> verify(Host&) const override {
    Differences found;
    for (const auto& [name, value] : kWanted) {
      const auto current = sysctl::read(name);
      // The step brNetfilterEnabled() says it.
      if (current.failedWith(ENOENT)) continue;
      if (!current) return netlib::fail(current.error());
      addIfDiffers(found, {.what = std::string{"sysctl "} + name, .expected = value, .actual = *current});
    }
    return found;
  }
};

}  // namespace

StepPointer taggedFramesFiltered(const Attachment& attachment) {
  return std::make_unique<const TaggedFramesFiltered>(attachment);
}

}  // namespace pons
