// State of one attachment as found in the kernel, independent of what its record says.
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/ctl/status.h"

namespace pons::ctl {

/// A link that belongs to the attachment, or its bridge.
struct LinkFact {
  std::string name;
  std::string where;                                      ///< "container", "host", "bridge", "rate limit"
  std::optional<netlib::link::Link> link = std::nullopt;  ///< nothing if it is missing
  netlib::link::Statistics statistics = {};
};

/// One next hop of a route.
struct RouteFact {
  std::string destination;
  std::string gateway;  ///< empty for none
  std::uint32_t metric = 0;
  std::uint32_t mtu = 0;
};

/// An element or chain of pons in nf_tables, or accept rules in a chain of another firewall.
struct RuleFact {
  std::string table;  ///< "ip pons"; empty for a chain of another firewall
  std::string place;  ///< map, set or chain
  std::string rule;
  bool present;
};

/// Shared state that the attachment refers to.
struct ReferenceFact {
  std::string sharedState;
  std::size_t count;  ///< of referring attachments, including this one
};

struct Facts {
  std::vector<LinkFact> links = {};
  std::vector<std::string> addresses = {};  ///< of the container's interface, with prefix length
  std::vector<RouteFact> routes = {};       ///< of that interface
  std::vector<RuleFact> rules = {};
  std::vector<ReferenceFact> references = {};
  /// Dropped by the egress policy since it was created; nothing without a policy.
  std::optional<netlib::nft::Counted> denied = std::nullopt;
};

/// State that cannot be read is left out or marked as missing; the faults of the attachment's status have the errors.
Facts factsOf(Host& host, const Attachment& attachment);

}  // namespace pons::ctl
