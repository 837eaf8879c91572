// The versions of the CNI specification that pons supports.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pons::cni {

/// In order of release: < means "older than".
enum class Version : std::uint8_t { V0_1_0, V0_2_0, V0_3_0, V0_3_1, V0_4_0, V1_0_0, V1_1_0 };

inline constexpr Version kNewestVersion = Version::V1_1_0;

std::string_view textOf(Version version);

/// `oldest` and all newer versions.
std::span<const std::string_view> versionsFrom(Version oldest);

/// Nothing for a version that is not supported. Empty (the key is absent) means 0.1.0.
std::optional<Version> parseVersion(std::string_view text);

/// `oldest` and newer, as the reference plugins print them in messages: ["0.1.0" "0.2.0" …].
std::string supportedVersions(Version oldest);

/// The same in the format of their about text: 0.1.0, 0.2.0, …
std::string listedVersions(Version oldest);

/// The output of VERSION, one line of compact JSON. `asked`: the cniVersion of the request, supported or not.
std::string printVersions(std::string_view asked, Version oldest);

}  // namespace pons::cni
