#include "plugin/cni/applet.h"

#include <algorithm>
#include <array>

namespace pons::cni {

namespace {

/// The release of containernetworking/plugins with which the applets are compatible.
constexpr std::string_view kReferenceRelease = "1.9.1";

constexpr std::array<std::string_view, 9> kNames{"pons",    "bridge",   "host-local", "static", "loopback",
                                                 "portmap", "firewall", "bandwidth",  "tuning"};
static_assert(kNames.size() == static_cast<std::size_t>(Applet::Tuning) + 1);

}  // namespace

Applet appletOf(std::string_view argv0) {
  const std::string_view name = argv0.substr(argv0.rfind('/') + 1);
  const auto found = std::ranges::find(kNames, name);
  return found == kNames.end() ? Applet::Pons : static_cast<Applet>(found - kNames.begin());
}

std::string_view nameOf(Applet applet) { return kNames.at(static_cast<std::size_t>(applet)); }

Version oldestVersionOf(Applet applet) {
  if (applet == Applet::Firewall) return Version::V0_4_0;
  if (applet == Applet::Bandwidth) return Version::V0_3_0;
  return Version::V0_1_0;
}

ChainedPlugin chainedPluginOf(Applet applet) {
  return parseChainedPlugin(nameOf(applet)).value_or(ChainedPlugin::None);
}

std::string_view release() { return PONS_VERSION; }

std::string aboutText(Applet applet) {
  const std::string_view number = applet == Applet::Pons ? release() : kReferenceRelease;
  return "CNI " + std::string{nameOf(applet)} + " plugin v" + std::string{number} +
         "\nCNI protocol versions supported: " + listedVersions(oldestVersionOf(applet)) + "\n";
}

}  // namespace pons::cni
