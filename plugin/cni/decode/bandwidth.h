// Rate limits as CNI's capability "bandwidth" writes them: bits a second, and bits.
#pragma once

#include <optional>

#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// Of type "pons": the config's own "bandwidth", or where that is absent runtimeConfig's. Nothing where no direction is
/// limited. InvalidConfig for a burst without a rate, and for a rate below kMinRate that is not 0.
Result<std::optional<Bandwidth>> decodeBandwidth(const Field& config);

/// Of type "bandwidth", as the reference plugin of that name reads it: "ingressRate" and the others stand in the config
/// itself, and where any of them does, runtimeConfig is not looked at. UnsupportedField for limits by subnet.
Result<std::optional<Bandwidth>> decodeReferenceBandwidth(const Field& config);

}  // namespace pons::cni
