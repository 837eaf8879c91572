// What ponsctl graph shows: each bridge with its containers and its ways to other hosts.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/status.h"

namespace pons::ctl {

/// How packets leave the host from a bridge.
struct Uplink {
  std::vector<std::string> lines;
  bool open = true;

  friend auto operator<=>(const Uplink&, const Uplink&) = default;
};

struct GraphedBridge {
  std::set<std::string> networks = {};
  std::set<std::string> gateways = {};
  std::set<std::string> policies = {};  ///< "ingress isolated", "published ports only"
  std::set<Uplink> uplinks = {};
  std::set<std::string> broken = {};  ///< what the bridge itself is: "missing", "down"; empty: as it should be
  std::set<std::string> faults = {};  ///< of other shared state, on which its uplinks and ports depend
  std::vector<const Interface*> interfaces = {};
};

/// By name; "" for attachments with an unreadable record. `interfaces` are those of `statuses`, and must live longer.
std::map<std::string, GraphedBridge> bridgesOf(const std::vector<Interface>& interfaces,
                                               const std::vector<AttachmentStatus>& statuses);

/// The restrictions of one container: "egress policy", "port isolation".
std::vector<std::string> restrictionsOf(const Attachment& attachment);

/// Its published ports, by number.
std::vector<std::string> sortedPorts(const Interface& interface);

}  // namespace pons::ctl
