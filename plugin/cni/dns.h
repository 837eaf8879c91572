// DNS settings, which a result passes to the runtime. pons itself resolves no names.
#pragma once

#include <string>
#include <vector>

#include "plugin/cni/field.h"

namespace pons::cni {

struct Dns {
  std::vector<netlib::IpAddress> nameservers;
  std::string domain;
  std::vector<std::string> search;
  std::vector<std::string> options;

  bool empty() const { return nameservers.empty() && domain.empty() && search.empty() && options.empty(); }
  friend bool operator==(const Dns&, const Dns&) = default;
};

/// The "dns" object of the CNI specification. Nameservers must be unicast addresses.
Result<Dns> decodeDns(const Field& dns);

/// The first that is not empty: runtimeConfig.dns, dns, decodeIpamDns().
Result<Dns> chooseDns(const Field& config);

/// ipam.dns for type static, else the file that ipam.resolvConf names. Io if that cannot be read.
Result<Dns> decodeIpamDns(const Field& config);

/// Parses a resolv.conf(5). As in the resolver, the last "domain" and "search" line wins, and invalid lines are
/// skipped.
Dns parseResolvConf(std::string_view content);

/// The content of a resolv.conf(5).
std::string printResolvConf(const Dns& dns);

}  // namespace pons::cni
