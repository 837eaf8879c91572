// Input as a runtime gives it, for tests of the parsers.
#pragma once

#include <string>
#include <string_view>

#include "plugin/cni/decode/request.h"

namespace pons::test {

inline const cni::Environment kEnvironment{.command = "ADD",
                                           .containerId = "c1",
                                           .netns = "/run/netns/c1",
                                           .ifName = "eth0",
                                           .args = "",
                                           .path = "",
                                           .stateDir = ""};

inline constexpr std::string_view kIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";

/// A configuration of version 1.1.0 with these members, each of which begins without a comma.
inline std::string config(std::string_view members) {
  return R"({"cniVersion": "1.1.0", "name": "demo", "type": "pons")" + std::string{members.empty() ? "" : ", "} +
         std::string{members} + "}";
}

/// The same with the ipam section kIpam.
inline std::string configWithIpam(std::string_view members) {
  return config(std::string{kIpam} + (members.empty() ? "" : ", ") + std::string{members});
}

inline cni::Result<cni::Request> add(std::string_view input, const cni::Environment& environment = kEnvironment) {
  return cni::parseRequest(cni::Verb::Add, environment, input);
}

/// The code that ADD fails with; 0 where it does not fail.
inline unsigned addCode(std::string_view input, const cni::Environment& environment = kEnvironment) {
  const auto request = add(input, environment);
  return request ? 0 : static_cast<unsigned>(request.error().code);
}

}  // namespace pons::test
