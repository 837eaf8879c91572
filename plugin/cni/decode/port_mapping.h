// Published ports as CNI's capability "portMappings" writes them.
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
  /// Nothing: every address of the host, of both families. Unspecified: every address of that family.
  std::optional<netlib::IpAddress> hostAddress;

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// The config's own "portMappings" and then those of runtimeConfig, without those that others of them include.
/// InvalidConfig where one host port would lead to two ports of the container.
Result<std::vector<PortMapping>> decodePortMappings(const Field& config);

}  // namespace pons::cni
