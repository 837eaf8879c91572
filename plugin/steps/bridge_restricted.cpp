#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;
using bridges::Restriction;

namespace {

std::string textOf(Restriction restriction) {
  switch (restriction) {
    case Restriction::Internal:
      return "no forwarding to or from bridge ";
    case Restriction::PublishedOnly:
      return "only published ports and replies to bridge ";
    case Restriction::Silent:
      return "no answer to what is denied at bridge ";
    case Restriction::Rejecting:
      return "rejection of what is denied at bridge ";
  }
  return {};
}

class BridgeRestricted final : public AttachmentStep {
 public:
  BridgeRestricted(const Attachment& attachment, Restriction restriction)
      : AttachmentStep(attachment), restriction_(restriction) {}

  std::string name() const override { return textOf(restriction_) + routedLink(attachment_).toString(); }
  std::string sharedState() const override { return bridges::stateOf(attachment_, restriction_); }

  netlib::Result<> apply(Host& host) const override {
    return tables::commit(host, attachment_,
                          [&](nft::Transaction& transaction) { tables::addElements(transaction, elements()); });
  }

  netlib::Result<> undo(Host& host) const override { return tables::removeElements(host, elements()); }

  netlib::Result<Differences> verify(Host& host) const override {
    return tables::differencesOf(host,
                                 [&](nft::Transaction& transaction) { tables::addElements(transaction, elements()); });
  }

  // tables::commit() rebuilds missing tables only, not one whose chain lost its drop rule.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  tables::Elements elements() const {
    tables::Elements elements;
    for (const auto family : {tables::TableFamily::Ipv4, tables::TableFamily::Ipv6}) {
      for (auto& [set, some] : bridges::elementsOf(routedLink(attachment_), restriction_)) {
        elements[{family, set}] = std::move(some);
      }
    }
    return elements;
  }

  Restriction restriction_;
};

}  // namespace

StepPointer bridgeRestricted(const Attachment& attachment, Restriction restriction) {
  return std::make_unique<const BridgeRestricted>(attachment, restriction);
}

}  // namespace pons
