#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

class MasqueradeChain final : public AttachmentStep {
 public:
  MasqueradeChain(const Attachment& attachment, const SourceNat& nat) : AttachmentStep(attachment), nat_(nat) {}

  std::string name() const override {
    return std::string{nameOf(nat_.family())} + " masquerade of network " + attachment_.key.network.toString();
  }

  std::string sharedState() const override { return shared_state::sourceNat(attachment_, nat_); }

  // Nothing to do: the transaction of nftElements() adds the chain where it is missing (tables::commit).
  netlib::Result<> apply(Host&) const override { return {}; }

  netlib::Result<> undo(Host& host) const override {
    std::vector<std::string> subnetChains;
    for (const netlib::IpPrefix& subnet : nat_.subnets) subnetChains.push_back(nat::subnetChain(subnet));
    return source::removeNetwork(host, nat_.family(), chainOf(attachment_, nat_), subnetChains);
  }

  netlib::Result<Differences> verify(Host& host) const override {
    return tables::differencesOf(host, [&](nft::Transaction& transaction) {
      nat::appendNetwork(transaction, nat_, chainOf(attachment_, nat_), nat::networkComment(attachment_.key.network));
    });
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
