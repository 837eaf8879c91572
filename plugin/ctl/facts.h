// What the kernel has of one attachment, whatever the record says.
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/ctl/stock.h"

namespace pons::tools {

/// A link that belongs to the attachment, or its bridge.
struct LinkFact {
  std::string name;
  std::string where;                                      ///< "container", "host", "bridge", "rate limit"
  std::optional<netlib::link::Link> link = std::nullopt;  ///< nothing where it is missing
  netlib::link::Statistics statistics = {};
};

struct RouteFact {
  std::string destination;
  std::string gateway;  ///< empty for none
  std::uint32_t metric = 0;
  std::uint32_t mtu = 0;
};

/// One thing in nf_tables, or in the chain of another's firewall.
struct RuleFact {
  std::string table;  ///< "ip pons"
  std::string place;  ///< the map, set or chain
  std::string rule;
  bool present;
};

/// A state that the attachment shares.
struct HoldFact {
  std::string name;
  std::size_t holders;  ///< itself counted
};

struct Facts {
  std::vector<LinkFact> links = {};
  std::vector<std::string> addresses = {};  ///< of the container's interface, with prefix length
  std::vector<RouteFact> routes = {};       ///< likewise
  std::vector<RuleFact> rules = {};
  std::vector<HoldFact> holds = {};
  /// What the egress policy has dropped since it was made; nothing where there is none.
  std::optional<netlib::nft::Counted> denied = std::nullopt;
};

/// What cannot be looked at is left out, or shown as missing: the item's faults say why.
Facts factsOf(Host& host, const Attachment& attachment);

}  // namespace pons::tools
