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
struct Config : AttachmentSettings {
  Settings settings;

  bool isDefaultGateway = false;  ///< the container's default routes use the bridge's addresses; implies bridge.gateway
  Mtu mtu;
  std::optional<netlib::MacAddress> mac;
  AddressRequest addresses;  ///< unused with `delegated`
  std::vector<Route> routes;
  std::vector<netlib::Family> masquerade;            ///< families whose packets get the address of the host
  std::vector<netlib::IpPrefix> masqueradeExcluded;  ///< destinations exempt from masquerading
  std::vector<PortMapping> portMappings;
  Dns dns;
  std::optional<std::string> rootfs;  ///< root directory of the container: resolv.conf is written there

  /// Errors of what was ignored: a pod, settings of the log, and see decodeConfigOfDel().
  std::vector<Error> ignored;
};

/// For all verbs but DEL, with the keys and defaults of environment.applet. `input`: the text that `root` was parsed
/// from.
Result<Config> decodeConfig(const Field& root, Version version, const Environment& environment, std::string_view input);

/// For DEL, and for GC with an invalid configuration: settings, bridge, and the IPAM plugin to be called to free
/// addresses. Never fails: invalid keys get their defaults, and `ignored` the error. All other members have defaults.
Config decodeConfigOfDel(const Field& root, const Environment& environment, std::string_view input);

}  // namespace pons::cni
