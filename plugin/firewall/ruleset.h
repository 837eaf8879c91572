// Everything that the tables must contain for a set of attachments: what rebuild() writes.
#pragma once

#include <set>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_transaction.h"

namespace pons::tables {

/// What attachments share, by the references in the ledger: see shared_state.
struct SharedParts {
  PartsByTable tables;  ///< those in use; the parts follow from the attachments and from what is below
  std::set<netlib::IpPrefix> subnets;
  std::map<netlib::IfName, IngressPolicy> policies;                        ///< by bridge
  std::set<std::pair<netlib::IfName, bridges::Restriction>> restrictions;  ///< of bridges
  std::set<netlib::IfName> loopbacks;  ///< bridges whose published ports answer at 127.0.0.1
};
/// Of the bridges of these attachments. The caller holds the host lock.
netlib::Result<SharedParts> sharedPartsOf(Ledger& ledger, const std::vector<Attachment>& attachments);

/// Elements by their set, and each network's chain once.
class Ruleset {
 public:
  /// `own`: the elements of all of the attachments that are each one's alone.
  Ruleset(std::vector<Attachment> attachments, SharedParts shared, Elements own);

  /// The tables that the attachments need, and their parts.
  const PartsByTable& tables() const { return shared_.tables; }
  /// What the tables have beside appendSkeleton().
  void appendTo(netlib::nft::Transaction& transaction) const;

 private:
  struct Network {
    SourceNat nat;
    NetworkName name;
  };

  void include(const Attachment& attachment);
  void includeShared();
  void includeSubnets(netlib::Family family);
  void includePolicies(netlib::Family family);
  void includeLoopbacks();

  std::vector<Attachment> attachments_;
  SharedParts shared_;
  std::map<std::pair<netlib::Family, std::string>, Network> networks_;
  std::map<std::string, std::vector<const Attachment*>> guarded_;  // by shared state
  Elements elements_;
};

}  // namespace pons::tables
