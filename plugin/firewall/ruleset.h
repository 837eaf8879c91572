// Everything that the tables must contain for a set of attachments: what rebuild() writes.
#pragma once

#include <set>

#include "plugin/firewall/table_transaction.h"

namespace pons::tables {

/// Elements by their set, and each network's chain once. Where attachments of one bridge have different ingress
/// policies the strictest one is used.
class Ruleset {
 public:
  /// `own`: the elements of all of the attachments that are each one's alone.
  Ruleset(std::vector<Attachment> attachments, Elements own);

  /// The tables that the attachments need.
  const std::set<TableFamily>& families() const { return families_; }
  void appendTo(netlib::nft::Transaction& transaction) const;

 private:
  struct Network {
    SourceNat nat;
    NetworkName name;
  };

  void include(const Attachment& attachment);

  std::vector<Attachment> attachments_;
  std::set<TableFamily> families_;
  std::map<std::pair<netlib::Family, std::string>, Network> networks_;
  std::set<netlib::IpPrefix> subnets_;
  std::map<std::string, std::vector<const Attachment*>> guarded_;  // by shared state
  std::map<netlib::IfName, IngressPolicy> policies_;
  std::set<netlib::IfName> internal_;
  std::set<netlib::IfName> loopbacks_;
  Elements elements_;
};

}  // namespace pons::tables
