// The network configuration: every key, default and limit of the native plugin, which README.md lists for users, and
// of the reference plugins whose names pons answers to.
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

/// Bytes; below it the kernel drops IPv6 from a link (RFC 8200).
inline constexpr std::uint32_t kMinMtuIpv6 = 1280;

struct Mtu {
  bool automatic = false;   ///< the smallest MTU of the links that default routes use
  std::uint32_t bytes = 0;  ///< 0: the kernel's default

  friend bool operator==(const Mtu&, const Mtu&) = default;
};

/// Consistent in itself: without addresses, for one, there is neither a gateway nor a masquerade nor a published port.
struct Config {
  Settings settings;

  netlib::IfName bridge = *netlib::IfName::parse("pons0");
  bool isGateway = false;         ///< the bridge bears the gateway addresses, and the host forwards
  bool isDefaultGateway = false;  ///< the container's default routes lead through it; implies isGateway
  bool hairpin = true;            ///< never together with promiscuous
  bool promiscuous = false;
  bool forceAddress = false;
  bool portIsolation = false;
  bool detectDuplicateAddresses = false;
  bool disableContainerInterface = false;
  bool acceptForward = false;             ///< where the host's own firewall would drop what containers send
  std::optional<std::string> adminChain;  ///< asked before that, where the host's firewall has such a chain
  IngressPolicy ingress = IngressPolicy::Open;
  bool internal = false;  ///< nothing is forwarded out of the bridge; never with default gateway, masquerade, ports
  SpoofGuard guard = SpoofGuard::None;
  std::optional<EgressPolicy> egress;  ///< never without the whole guard
  Mtu mtu;

  std::optional<netlib::MacAddress> mac;
  AddressRequest addresses;
  std::optional<DelegatedIpam> delegated;  ///< who gives the addresses in place of the request above
  std::vector<Route> routes;
  std::vector<netlib::Family> masquerade;            ///< the families that leave the host under its address
  std::vector<netlib::IpPrefix> masqueradeExcluded;  ///< destinations that see the container's own address
  std::vector<PortMapping> portMappings;
  bool sourceNat = true;       ///< published ports answer at 127.0.0.1 and to the container's own subnet
  bool masqueradeAll = false;  ///< whoever uses a published port appears under an address of the host
  std::optional<Tuning> tuning;
  std::optional<Bandwidth> bandwidth;
  Dns dns;
  std::optional<std::string> rootfs;  ///< the container's root on the host: `dns` is written into it

  std::vector<std::string> ignored;  ///< what could not be read and is not needed, as messages: see decodeConfigOfDel()
};

/// Of all verbs but DEL, in the terms of the environment's applet. `input` is the text that `root` was read from.
Result<Config> decodeConfig(const Field& root, Version version, const Environment& environment, std::string_view input);

/// Of DEL, and of a GC that has no better one: the settings, the bridge, and which IPAM plugin has to hear that
/// addresses are free. Nothing of it is needed: for what cannot be read, the default is taken and a message is in
/// `ignored`. All other members are the defaults.
Config decodeConfigOfDel(const Field& root, const Environment& environment, std::string_view input);

}  // namespace pons::cni
