#include <algorithm>

#include "netlib/nft/hook.h"

#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

class MasqueradeChain final : public AttachmentStep {
 public:
  MasqueradeChain(const Attachment& attachment, const SourceNat& nat) : AttachmentStep(attachment), nat_(nat) {}

  std::string name() const override {
    return std::string{nameOf(nat_.family)} + " masquerade of network " + attachment_.key.network.toString();
  }

  std::string sharedState() const override { return shared_state::sourceNat(attachment_, nat_); }

  // Nothing to do: the transaction of nftElements() adds the chain where it is missing (tables::commit).
  netlib::Result<> apply(Host&) const override { return {}; }

  netlib::Result<> undo(Host& host) const override {
    std::vector<std::string> subnetChains;
    for (const netlib::IpPrefix& subnet : nat_.subnets) subnetChains.push_back(nat::subnetChain(subnet));
    return source::removeNetwork(host, nat_.family, chainOf(attachment_, nat_), subnetChains);
  }

  netlib::Result<> verify(Host& host) const override {
    const std::string chain = chainOf(attachment_, nat_);
    const nft::Table table = nat::tableOf(nat_.family);
    for (const netlib::IpPrefix& subnet : nat_.subnets) {
      const auto rules = TRY(nft::listRules(host.netfilter, table, nat::subnetChain(subnet)));
      if (std::ranges::find(rules, chain, &netlib::filter::Rule::target) != rules.end()) continue;
      return broken(name() + ": nf_tables chain " + nat::subnetChain(subnet) + " does not jump to " + chain);
    }
    const auto rules = nft::countRules(host.netfilter, table, chain);
    if (rules.failedWith(ENOENT)) return broken(name() + ": nf_tables chain " + chain + " is gone");
    if (!rules) return netlib::fail(rules.error());
    if (*rules != nat::ruleCountOf(nat_)) return broken(name() + ": nf_tables chain " + chain + " has lost rules");
    return {};
  }

  // tables::commit() does not notice a chain that has lost rules.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  const SourceNat& nat_;
};

}  // namespace

StepPointer masqueradeChain(const Attachment& attachment, const SourceNat& nat) {
  return std::make_unique<const MasqueradeChain>(attachment, nat);
}

}  // namespace pons
