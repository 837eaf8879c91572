// The result of ADD, in the format of each CNI version.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/cni/dns.h"
#include "plugin/cni/version.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// Values are passed on unchecked: the MAC of another plugin may be that of InfiniBand. Empty and 0: not set.
struct Interface {
  std::string name = {};
  std::string mac = {};
  std::uint32_t mtu = 0;        ///< bytes
  std::string sandbox = {};     ///< path of the network namespace; empty: on the host
  std::string socketPath = {};  ///< vhost-user
  std::string pciId = {};

  friend bool operator==(const Interface&, const Interface&) = default;
};

struct Address {
  std::optional<std::uint32_t> interface;  ///< index in AddResult::interfaces
  netlib::IpPrefix address;
  std::optional<netlib::IpAddress> gateway;

  friend bool operator==(const Address&, const Address&) = default;
};

struct AddResult {
  std::vector<Interface> interfaces;
  std::vector<Address> addresses;
  std::vector<Route> routes;
  Dns dns;

  friend bool operator==(const AddResult&, const AddResult&) = default;
};

/// The result of the previous plugin of the chain, in its own "cniVersion" or else that of the configuration. Errors
/// are always Decode.
Result<AddResult> parsePrevResult(json::Value prevResult, Version configVersion);

/// The same for the output of an IPAM plugin.
Result<AddResult> parseIpamResult(std::string_view text, Version configVersion);

/// `own` appended to `previous`, with its interface indexes adjusted. The DNS settings of `own` win unless empty.
AddResult merge(AddResult previous, AddResult own);

/// JSON without a trailing newline. Fields that `version` does not have are omitted. Before 0.3.0 a result requires an
/// address (else InvalidConfig) and contains only the first one of each family.
Result<std::string> printResult(const AddResult& result, Version version);

}  // namespace pons::cni
