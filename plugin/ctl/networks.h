// ponsctl networks: all networks with the usage of their address pools and bridges.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugin/ctl/report.h"
#include "plugin/ctl/status.h"
#include "plugin/ledger/address_pool.h"

namespace pons::ctl {

/// Ports of a Linux bridge: BR_MAX_PORTS (1 << BR_PORT_BITS, net/bridge/br_private.h) less one.
inline constexpr std::size_t kMaxPorts = 1023;

/// The usage of a range set, from which each container gets one address.
struct Pool {
  std::string ranges = {};  ///< "10.42.0.0/24", separated by ", "
  netlib::Uint128 size = 0;
  std::size_t used = 0;

  netlib::Uint128 free() const { return used > size ? 0 : size - used; }
};

struct NetworkState {
  std::string name;
  std::string bridge = {};
  std::optional<std::size_t> ports = std::nullopt;  ///< of the bridge, including foreign ones; nothing if it is missing
  std::size_t attachments = 0;                      ///< without those of chained plugins
  std::vector<Pool> pools = {};
  std::string ipam = {};    ///< the IPAM plugin or mode if not pons' own: "host-local", "static", …
  std::string origin = {};  ///< its configuration file; empty if it is known from records only
};

struct Networks {
  std::vector<NetworkState> all = {};
  std::vector<std::string> problems = {};           ///< errors of configurations that are omitted, and of records
  std::map<std::string, std::string> invalid = {};  ///< of these, by network, those of its configuration
  std::size_t unreadable = 0;                       ///< records
};

/// The networks configured in `arguments.configDir` and those with attachments, by name. Without a configuration, the
/// pools are the whole subnets of the leases.
netlib::Result<Networks> networksOf(const Arguments& arguments);

/// Invalid if `arguments.network` is a network that is neither configured nor on record.
netlib::Result<> requireNetwork(const Arguments& arguments);

std::string networksJson(const std::vector<NetworkState>& networks);
/// One line per pool.
std::string networksText(const json::Value& root, const Terminal& terminal);

}  // namespace pons::ctl
