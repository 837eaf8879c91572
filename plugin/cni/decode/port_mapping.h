// Published ports: the capability "portMappings".
#pragma once

#include <optional>
#include <vector>

#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

struct PortMapping {
  Protocol protocol;
  Port hostPort;
  Port containerPort;
  /// Nothing: all addresses of the host. Unspecified (0.0.0.0, ::): all addresses of that family.
  std::optional<netlib::IpAddress> hostAddress;
  /// See PortForward; of both families.
  std::vector<netlib::IpPrefix> allowFrom = {};

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// "portMappings" of the configuration, then those of runtimeConfig, without redundant ones. InvalidConfig for a host
/// port that is mapped to two container ports, or twice with another allowFrom. Where a host port is restricted at one
/// host address and not at another one, the other one has an allowFrom with all addresses: restrictions are recognized
/// by container address and host port.
Result<std::vector<PortMapping>> decodePortMappings(const Field& config);

}  // namespace pons::cni
