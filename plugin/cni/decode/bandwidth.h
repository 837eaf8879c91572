// Rate limits of the capability "bandwidth": rates in bit/s, bursts in bits.
#pragma once

#include <optional>

#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// For type "pons": "bandwidth" of the configuration, else of runtimeConfig. Nothing if no direction is limited. Bursts
/// are capped. InvalidConfig for a burst without a rate, and for a rate other than 0 below kMinRate.
Result<std::optional<Bandwidth>> decodeBandwidth(const Field& config);

/// For type "bandwidth", as in the reference plugin: "ingressRate" and the other limits are keys of the configuration
/// itself; if it has any of them, runtimeConfig is ignored.
Result<std::optional<Bandwidth>> decodeReferenceBandwidth(const Field& config);

}  // namespace pons::cni
