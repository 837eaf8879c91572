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

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// "portMappings" of the configuration, then those of runtimeConfig, without redundant ones. InvalidConfig for a host
/// port that is mapped to two container ports.
Result<std::vector<PortMapping>> decodePortMappings(const Field& config);

}  // namespace pons::cni
