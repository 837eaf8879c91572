#include <algorithm>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

std::string textOf(const PortForward& forward) {
  return forward.hostAddress.toString() + " port " + std::to_string(forward.hostPort) + "/" +
         std::string{nameOf(forward.protocol)};
}

netlib::Error explained(netlib::Error error, const Attachment& attachment) {
  if (attachment.guard != SpoofGuard::None && (error.code == EOPNOTSUPP || error.code == EAFNOSUPPORT)) {
    error.message +=
        ": this kernel has no nf_tables for bridges, which \"macspoofchk\", \"ipSpoofCheck\" and "
        "\"egressPolicy\" need";
  }
  return error;
}

class NftElements final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  /// False where there is nothing of the kind.
  static bool areNeeded(const Attachment& attachment) { return !tables::elementsOf(attachment).empty(); }

  std::string name() const override {
    std::string name;
    const auto append = [&name](const char* part) { name += (name.empty() ? "" : ", ") + std::string{part}; };
    if (!attachment_.forwards.empty()) append("published ports");
    if (std::ranges::any_of(attachment_.sourceNats, &SourceNat::masquerade)) append("masquerade");
    if (attachment_.guard != SpoofGuard::None) append("spoof guard");
    if (attachment_.egress) append("egress policy");
    return name;
  }

  netlib::Result<> apply(Host& host) const override {
    auto added = tables::add(host, attachment_);
    if (added.failedWith(EEXIST) || added.failedWith(ENOTEMPTY)) {
      const auto hostLock = TRY(host.ledger.lockHost());
      added = tables::replace(host, hostLock, attachment_);
    }
    if (added) return {};
    // The transaction may have been committed although its answer was lost; the first error is the one to report.
    static_cast<void>(undo(host));
    return netlib::fail(explained(added.error(), attachment_));
  }

  netlib::Result<> undo(Host& host) const override {
    const bool shared = !attachment_.forwards.empty() && TRY(host.ledger.sharesPorts(attachment_.key.container));
    if (!shared) return tables::remove(host, attachment_);
    const auto hostLock = TRY(host.ledger.lockHost());
    return tables::handOver(host, hostLock, attachment_);
  }

  netlib::Result<> verify(Host& host) const override {
    TRY(verifyForwards(host));
    TRY(verifyMasquerade(host));
    TRY(verifyGuard(host));
    for (const Family family : egress::familiesOf(attachment_)) TRY(verifyEgress(host, family));
    return {};
  }

  // In one transaction: between the removal and the new policy packets would pass.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  netlib::Result<> verifyForwards(Host& host) const {
    for (const PortForward& forward : attachment_.forwards) {
      nft::Element expected = nat::elementOf(forward);
      const auto found =
          TRY(nft::findElement(host.netfilter, nat::tableOf(forward.target.family()), nat::mapOf(forward), expected));
      if (!found) return broken("published " + textOf(forward) + " is missing in nf_tables");
      if (found->data != expected.data) {
        const auto leader = TRY(host.ledger.portOwner(forward));
        if (leader) expected = nat::elementOf(leader->forwards.front());
      }
      if (found->data != expected.data) return broken("published " + textOf(forward) + " leads to another target");
      if (forward.protocol != Protocol::Udp) continue;
      const auto fresh = TRY(nft::findElement(host.netfilter, nat::tableOf(forward.target.family()),
                                              nat::udpSetOf(forward), nat::udpElementOf(forward)));
      if (!fresh)
        return broken("published " + textOf(forward) + " is missing in the nf_tables set " + nat::udpSetOf(forward));
    }
    return {};
  }

  netlib::Result<> verifyMasquerade(Host& host) const {
    for (const SourceNat& nat : attachment_.sourceNats) {
      const std::string set = chainOf(attachment_, nat);
      const auto members = nat::elementsOf(attachment_, nat.family)[set];
      for (const nft::Element& expected : members) {
        if (TRY(nft::findElement(host.netfilter, nat::tableOf(nat.family), set, expected))) continue;
        return broken("masquerade: an address is missing in the nf_tables set " + set);
      }
    }
    return {};
  }

  netlib::Result<> verifyGuard(Host& host) const {
    for (const auto& [set, elements] : guard::elementsOf(attachment_)) {
      for (const nft::Element& expected : elements) {
        const auto found = TRY(nft::findElement(host.netfilter, guard::table(), set, expected));
        if (found && found->jumpTo == expected.jumpTo) continue;
        return broken("spoof guard: port " + attachment_.hostVeth.toString() + " is missing in the nf_tables set " +
                      set + " of table bridge pons");
      }
    }
    return {};
  }

  netlib::Result<> verifyEgress(Host& host, Family family) const {
    const nft::Table table = nat::tableOf(family);
    for (const nft::Element& expected : egress::elementsOf(attachment_, family)) {
      const auto found = TRY(nft::findElement(host.netfilter, table, egress::kPolicies, expected));
      if (!found) return broken("egress policy: an address is missing in the nf_tables map policies");
    }
    const std::string chain = egress::chainOf(attachment_.hostVeth);
    const auto rules = nft::countRules(host.netfilter, table, chain);
    if (rules.failedWith(ENOENT)) return broken("egress policy: nf_tables chain " + chain + " is gone");
    if (!rules) return netlib::fail(rules.error());
    if (*rules == egress::ruleCountOf(attachment_, family)) return {};
    return broken("egress policy: nf_tables chain " + chain + " has lost rules");
  }
};

}  // namespace

StepPointer nftElements(const Attachment& attachment) { return std::make_unique<const NftElements>(attachment); }

}  // namespace pons
