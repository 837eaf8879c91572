// What ADD answers with, in the form of every CNI version.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/cni/dns.h"
#include "plugin/cni/version.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// Texts as they are passed on between plugins: another plugin's MAC may be InfiniBand's. Empty and 0: not set.
struct Interface {
  std::string name = {};
  std::string mac = {};
  std::uint32_t mtu = 0;        ///< bytes
  std::string sandbox = {};     ///< path of the namespace; empty for an interface of the host
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

/// The result of an earlier plugin of the chain. It may name its own version; else it is in that of the configuration.
/// Errors are always Decode.
Result<AddResult> parsePrevResult(json::Value prevResult, Version configVersion);

/// What an IPAM plugin printed, likewise.
Result<AddResult> parseIpamResult(std::string_view text, Version configVersion);

/// `own` behind `previous`, with the interface indexes moved along. The own DNS wins where there is any.
AddResult merge(AddResult previous, AddResult own);

/// JSON without a newline at the end. What an older version has no word for is left out. Before 0.3.0 a result needs an
/// address, and has room for the first one of each family only.
Result<std::string> printResult(const AddResult& result, Version version);

}  // namespace pons::cni
