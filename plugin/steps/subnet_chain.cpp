#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

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

  netlib::Result<Differences> verify(Host& host) const override { return source::differencesOf(host, subnet_); }

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
