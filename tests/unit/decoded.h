// Configurations as the tests of plugin/cni/config write and read them.
#pragma once

#include <doctest/doctest.h>

#include "plugin/cni/decode/config.h"

#include "tests/support/cni_input.h"

namespace pons::test {

using cni::Config;
using cni::Environment;

inline netlib::IpAddress ip(std::string_view text) { return *netlib::IpAddress::parse(text); }
inline netlib::IpPrefix net(std::string_view text) { return *netlib::IpPrefix::parse(text); }

inline Config configOf(std::string_view input, const Environment& environment = kEnvironment) {
  auto request = add(input, environment);
  CAPTURE(input);
  if (!request) FAIL(request.error().message);
  return std::move(request).value().config;
}

/// The smallest sensible configuration with these members.
inline Config decoded(std::string_view members) { return configOf(configWithIpam(members)); }
inline unsigned codeOf(std::string_view members) { return addCode(configWithIpam(members)); }

inline Config withIpam(std::string_view members) {
  return configOf(config(R"("ipam": {)" + std::string{members} + "}"));
}
inline unsigned ipamCode(std::string_view members) {
  return addCode(config(R"("ipam": {)" + std::string{members} + "}"));
}

}  // namespace pons::test
