// The network configuration: all keys, defaults and limits of the native plugin (documented in pons.conf(5)) and of the
// reference plugins that pons replaces.
#pragma once

#include <optional>
#include <vector>

#include "netlib/values/if_name.h"
#include "netlib/values/mac_address.h"

#include "plugin/cni/decode/bandwidth.h"
#include "plugin/cni/decode/port_mapping.h"
#include "plugin/cni/decode/settings.h"
#include "plugin/cni/decode/tuning.h"
#include "plugin/cni/dns.h"
#include "plugin/cni/environment.h"
#include "plugin/cni/version.h"
#include "plugin/model/address_request.h"

namespace pons::cni {

/// Bytes; the kernel disables IPv6 on links with a smaller MTU (RFC 8200, section 5).
inline constexpr std::uint32_t kMinMtuIpv6 = 1280;

struct Mtu {
  bool automatic = false;   ///< the smallest MTU among the links of the default routes
  std::uint32_t bytes = 0;  ///< 0: the kernel's default

  friend bool operator==(const Mtu&, const Mtu&) = default;
};

/// Free of contradictions: without addresses, for example, no gateway, masquerade or published port is set.
struct Config {
  Settings settings;

  netlib::IfName bridge = *netlib::IfName::parse("pons0");
  bool isGateway = false;         ///< the bridge has the gateway addresses, and the host forwards IP packets
  bool isDefaultGateway = false;  ///< the container's default routes use them; implies isGateway
  bool hairpin = true;            ///< mutually exclusive with promiscuous
  bool promiscuous = false;
  bool forceAddress = false;
  bool portIsolation = false;
  bool detectDuplicateAddresses = false;
  bool disableContainerInterface = false;
  bool acceptForward = false;             ///< add accept rules to the host's firewall where needed
  std::optional<std::string> adminChain;  ///< iptables chain that is jumped to before them, if it exists
  IngressPolicy ingress = IngressPolicy::Open;
  bool internal = false;  ///< no forwarding out of the bridge; excludes default gateway, masquerade and ports
  SpoofGuard guard = SpoofGuard::None;
  std::optional<EgressPolicy> egress;  ///< requires SpoofGuard::Address
  Mtu mtu;

  std::optional<netlib::MacAddress> mac;
  AddressRequest addresses;
  std::optional<DelegatedIpam> delegated;  ///< the IPAM plugin that replaces `addresses`
  std::vector<Route> routes;
  std::vector<netlib::Family> masquerade;            ///< families whose packets get the address of the host
  std::vector<netlib::IpPrefix> masqueradeExcluded;  ///< destinations exempt from masquerading
  std::vector<PortMapping> portMappings;
  bool sourceNat = true;       ///< published ports work at 127.0.0.1 and from the container's own subnet
  bool masqueradeAll = false;  ///< masquerade all connections to published ports
  std::optional<Tuning> tuning;
  std::optional<Bandwidth> bandwidth;
  Dns dns;
  std::optional<std::string> rootfs;  ///< root directory of the container: resolv.conf is written there

  std::vector<std::string> ignored;  ///< error messages of keys that were ignored: see decodeConfigOfDel()
};

/// For all verbs but DEL, with the keys and defaults of environment.applet. `input`: the text that `root` was parsed
/// from.
Result<Config> decodeConfig(const Field& root, Version version, const Environment& environment, std::string_view input);

/// For DEL, and for GC with an invalid configuration: settings, bridge, and the IPAM plugin to be called to free
/// addresses. Never fails: invalid keys get their defaults, and `ignored` a message. All other members have defaults.
Config decodeConfigOfDel(const Field& root, const Environment& environment, std::string_view input);

}  // namespace pons::cni
