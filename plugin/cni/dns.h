// DNS settings: what a result hands to the runtime. pons itself resolves nothing.
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

/// The spec's "dns" object. A nameserver has to be an address that a query can be sent to.
Result<Dns> decodeDns(const Field& dns);

/// The first that says anything: runtimeConfig.dns, dns, decodeIpamDns().
Result<Dns> chooseDns(const Field& config);

/// What "ipam" itself says: ipam.dns of type static, else the file that ipam.resolvConf names.
Result<Dns> decodeIpamDns(const Field& config);

/// The content of a resolv.conf(5). As in the resolver, the last domain and search line wins, and lines that it cannot
/// use are no error.
Dns parseResolvConf(std::string_view content);

/// Such a content again.
std::string printResolvConf(const Dns& dns);

}  // namespace pons::cni
