// pons networks: which there are, how full their pools and bridges are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/ctl/screen.h"
#include "plugin/ctl/stock.h"
#include "plugin/ledger/address_pool.h"

namespace pons::tools {

/// The kernel's limit (BR_MAX_PORTS less one).
inline constexpr std::size_t kMaxPorts = 1023;

/// A range set: one address of each container comes from it.
struct Pool {
  std::string ranges = {};  ///< "10.42.0.0/24", or several
  netlib::Uint128 size = 0;
  std::size_t used = 0;  ///< of these addresses

  netlib::Uint128 free() const { return used > size ? 0 : size - used; }
};

struct NetworkState {
  std::string name;
  std::string bridge = {};
  std::optional<std::size_t> ports = std::nullopt;  ///< of the bridge, whoever made them; nothing where it is missing
  std::size_t attachments = 0;                      ///< by networks of pons, chained parts not counted
  std::vector<Pool> pools = {};
  std::string ipam = {};    ///< who else gives the addresses, or knows of them: "host-local", "static", …
  std::string origin = {};  ///< the file of its configuration; empty where only records tell of it
};

struct Networks {
  std::vector<NetworkState> all = {};
  std::vector<std::string> problems = {};  ///< of configurations that are not among them
};

/// Those that are configured in the directory, and those that have attachments; by name. Where no file tells the
/// ranges, the pools are the whole subnets of the leases.
netlib::Result<Networks> networksOf(const Arguments& arguments);

std::string networksText(const std::vector<NetworkState>& networks, const Screen& screen);
std::string networksJson(const std::vector<NetworkState>& networks);

}  // namespace pons::tools
