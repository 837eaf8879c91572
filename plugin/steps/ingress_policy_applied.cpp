#include <algorithm>
#include <array>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::array kFamilies{Family::Ipv4, Family::Ipv6};

/// Saved in the ledger once all ports of the bridge are isolated.
constexpr const char* kIsolated = "isolated";

/// Gives every port that pons made on the bridge its own setting of port isolation, or isolates all of them. The caller
/// holds the host lock. The cost grows with the ports: only called where the bridge's policy changes.
netlib::Result<> setPorts(Host& host, const Attachment& attachment, bool isolateAll) {
  const auto bridge = link::find(host.route, attachment.bridge.name);
  if (bridge.failedWith(ENODEV)) return {};
  if (!bridge) return netlib::fail(bridge.error());
  const auto ports = TRY(link::portsOf(host.route, bridge->index));
  netlib::Batch batch;
  for (const AttachmentKey& key : TRY(host.ledger.referencesTo(shared_state::stem(shared_state::bridge(attachment))))) {
    const auto record = host.ledger.snapshot(key);
    if (!record || !*record) continue;
    const Attachment& other = (*record)->attachment;
    if (routedLink(other) != routedLink(attachment)) continue;  // of another VLAN, which has a policy of its own
    const auto port = std::ranges::find(ports, other.hostVeth.toString(), &link::Link::name);
    const bool isolated = other.isolated || isolateAll;
    if (port == ports.end() || port->isolated == isolated) continue;
    link::appendSetPort(batch, port->index, {.hairpin = other.hairpin, .isolated = isolated});
  }
  for (const netlib::Answer& answer : TRY(host.route.exchange(batch))) {
    // ENODEV: its container has ended meanwhile.
    if (answer.error != 0 && answer.error != ENODEV) return netlib::fail(errorOf(answer, "isolate bridge ports"));
  }
  return {};
}

class IngressPolicyApplied final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "ingress policy of bridge " + routedLink(attachment_).toString(); }
  std::string sharedState() const override { return shared_state::ingress(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    const IngressPolicy policy = TRY(policyWithOwn(host));
    const bool isIsolated = policy == IngressPolicy::Isolated;
    // A later change of the policy includes this attachment's reference.
    const bool portsAreRight = !isIsolated || TRY(host.ledger.hasSavedOriginals(sharedState()));
    if (portsAreRight && TRY(differencesFrom(host, policy)).empty()) return {};

    const auto hostLock = TRY(host.ledger.lockHost());
    const IngressPolicy wanted = TRY(policyWithOwn(host));
    TRY(tables::commit(host, hostLock, attachment_,
                       [&](nft::Transaction& transaction) { tables::addElements(transaction, elementsOf(wanted)); }));
    TRY(tables::removeElements(host, elementsBeside(wanted)));
    if (wanted != IngressPolicy::Isolated) return {};
    TRY(setPorts(host, attachment_, true));
    return host.ledger.saveOriginals(sharedState(), {{kIsolated, routedLink(attachment_).toString()}});
  }

  netlib::Result<> undo(Host& host) const override { return loosen(host, IngressPolicy::Open); }

  netlib::Result<> leave(Host& host) const override {
    const IngressPolicy remaining = TRY(bridges::policyOf(host.ledger, sharedState()));
    return remaining < attachment_.ingress ? loosen(host, remaining) : netlib::Result<>{};
  }

  netlib::Result<Differences> verify(Host& host) const override {
    return differencesFrom(host, TRY(policyWithOwn(host)));
  }

  // tables::commit() rebuilds missing tables only, not one whose chain lost its drop rule.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  /// The caller holds the host lock.
  netlib::Result<> loosen(Host& host, IngressPolicy remaining) const {
    // A table that is missing gets them when it is rebuilt.
    for (const auto& [set, some] : elementsOf(remaining)) {
      const auto loosened = tables::removeAsOwner(host, set.first, [&](nft::Transaction& transaction) {
        transaction.addElements(tables::tableOf(set.first), set.second, some);
      });
      TRY(netlib::ignoring(ENOENT, loosened));
    }
    TRY(tables::removeElements(host, elementsBeside(remaining)));
    if (attachment_.ingress == IngressPolicy::Isolated) TRY(setPorts(host, attachment_, false));
    return host.ledger.forgetOriginals(sharedState());
  }

  /// Of a caller whose reference is there.
  netlib::Result<IngressPolicy> policyWithOwn(Host& host) const {
    return std::max(attachment_.ingress, TRY(bridges::policyOf(host.ledger, sharedState())));
  }

  tables::Elements elementsOf(IngressPolicy policy) const {
    tables::Elements elements;
    for (const Family family : kFamilies) {
      for (auto& [set, some] : bridges::elementsOf(routedLink(attachment_), policy)) {
        elements[{nat::tableOf(family).family, set}] = std::move(some);
      }
    }
    return elements;
  }

  /// What the sets must not have with that policy.
  tables::Elements elementsBeside(IngressPolicy policy) const {
    tables::Elements elements = elementsOf(IngressPolicy::SameBridge);
    for (const auto& [set, some] : elementsOf(policy)) elements.erase(set);
    return elements;
  }

  netlib::Result<Differences> differencesFrom(Host& host, IngressPolicy policy) const {
    return tables::differencesOf(host, [&](nft::Transaction& transaction) {
      tables::addElements(transaction, elementsOf(policy));
      for (const auto& [set, some] : elementsBeside(policy)) {
        transaction.deleteElements(tables::tableOf(set.first), set.second, some);
      }
    });
  }
};

}  // namespace

StepPointer ingressPolicyApplied(const Attachment& attachment) {
  return std::make_unique<const IngressPolicyApplied>(attachment);
}

}  // namespace pons
