#include <algorithm>

#include "netlib/nft/hook.h"

#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

class SubnetChain final : public AttachmentStep {
 public:
  SubnetChain(const Attachment& attachment, const netlib::IpPrefix& subnet)
      : AttachmentStep(attachment), subnet_(subnet) {}

  std::string name() const override { return "source NAT of subnet " + subnet_.toString(); }
  std::string sharedState() const override { return shared_state::subnet(subnet_); }

  // Nothing to do: the transaction of nftElements() adds the chain where it is missing (tables::commit).
  netlib::Result<> apply(Host&) const override { return {}; }
  netlib::Result<> undo(Host& host) const override { return source::removeSubnet(host, subnet_); }

  netlib::Result<> verify(Host& host) const override {
    const nft::Table table = nat::tableOf(subnet_.family());
    const std::string chain = nat::subnetChain(subnet_);
    const auto sources = TRY(nft::listElements(host.netfilter, table, nat::kSources));
    if (std::ranges::find(sources, chain, &nft::Element::jumpTo) == sources.end()) {
      return broken(name() + ": the nf_tables map sources does not jump to chain " + chain);
    }
    const auto rules = TRY(nft::listRules(host.netfilter, table, chain));
    if (std::ranges::find(rules, std::string{}, &netlib::filter::Rule::target) != rules.end()) return {};
    return broken(name() + ": nf_tables chain " + chain + " has lost its masquerade of published ports");
  }

  // tables::commit() does not notice a chain that has lost rules.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  netlib::IpPrefix subnet_;
};

}  // namespace

StepPointer subnetChain(const Attachment& attachment, const netlib::IpPrefix& subnet) {
  return std::make_unique<const SubnetChain>(attachment, subnet);
}

}  // namespace pons
