// All attachments on record as transactions want them. Of use to table_transaction.cpp only.
#pragma once

#include <set>

#include "plugin/firewall/table_transaction.h"

namespace pons::tables {

/// Elements by the set that holds them, and every network's chain once.
class Recorded {
 public:
  /// `own` is what the attachments do not share, of all of them.
  Recorded(std::vector<Attachment> attachments, Elements own);

  /// The tables that they need.
  const std::set<TableFamily>& families() const { return families_; }
  void appendTo(netlib::nft::Transaction& transaction) const;

 private:
  struct Network {
    SourceNat nat;
    NetworkName name;
  };

  void take(const Attachment& attachment);

  std::vector<Attachment> attachments_;
  std::set<TableFamily> families_;
  std::map<std::pair<netlib::Family, std::string>, Network> networks_;
  std::set<netlib::IpPrefix> subnets_;
  std::map<std::string, std::vector<const Attachment*>> guarded_;  // by hold
  std::map<netlib::IfName, IngressPolicy> policies_;
  std::set<netlib::IfName> internal_;
  std::set<netlib::IfName> loopbacks_;
  Elements elements_;
};

}  // namespace pons::tables
