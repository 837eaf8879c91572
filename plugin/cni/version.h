// The versions of the CNI specification that pons speaks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pons::cni {

/// In the order of their release, so that < means "older than".
enum class Version : std::uint8_t { V0_1_0, V0_2_0, V0_3_0, V0_3_1, V0_4_0, V1_0_0, V1_1_0 };

inline constexpr Version kNewestVersion = Version::V1_1_0;

std::string_view textOf(Version version);

/// The texts from that version on.
std::span<const std::string_view> versionsFrom(Version oldest);

/// Exactly one of the supported texts. An empty one stands for an absent key, which means 0.1.0.
std::optional<Version> parseVersion(std::string_view text);

/// The versions from `oldest` on, as the reference plugins show them in messages: ["0.1.0" "0.2.0" …].
std::string supportedVersions(Version oldest);

/// The same as their about text has them: 0.1.0, 0.2.0, …
std::string listedVersions(Version oldest);

/// The answer to VERSION: one line of compact JSON.
std::string printVersions(Version oldest);

}  // namespace pons::cni
