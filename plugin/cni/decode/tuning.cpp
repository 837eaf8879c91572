#include "plugin/cni/decode/tuning.h"

#include <algorithm>
#include <fstream>
#include <memory>

#include <regex.h>

namespace pons::cni {

namespace {

constexpr const char* kAllowList = "/etc/cni/tuning/allowlist.conf";
constexpr std::uint32_t kMaxMtu = 65535;
constexpr std::uint32_t kMaxQueue = 0x7fffffff;
constexpr std::string_view kExpectedMac = "a unicast MAC address such as 0a:58:0a:2a:00:07";

std::optional<netlib::MacAddress> parseMac(std::string_view text) {
  const auto mac = netlib::MacAddress::parse(text);
  return mac && mac->isUsable() ? mac : std::nullopt;
}

/// Nothing if the file does not exist: then all sysctls below net/ are allowed.
std::optional<std::vector<std::string>> readAllowList() {
  std::ifstream file{kAllowList};
  if (!file) return std::nullopt;
  std::vector<std::string> patterns;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) patterns.push_back(line);
  }
  return patterns;
}

Result<bool> matches(const std::string& text, const std::string& pattern) {
  regex_t compiled{};
  if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
    return fail(ErrorCode::InvalidConfig,
                std::string{kAllowList} + ": \"" + pattern + "\" is not a valid regular expression");
  }
  const std::unique_ptr<regex_t, decltype(&regfree)> owned{&compiled, regfree};
  return regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
}

Result<> checkAllowed(const Field& sysctl, const std::string& key) {
  const auto patterns = readAllowList();
  if (!patterns) return {};
  for (const std::string& pattern : *patterns) {
    if (TRY(matches(key, pattern))) return {};
  }
  return sysctl.invalid(std::string{"a sysctl that matches "} + kAllowList);
}

/// "net.ipv4.conf.IFNAME.arp_filter", or with '/' for '.', as in sysctl(8): the first of the two to occur is the
/// separator, the other is part of a name.
std::string nameOf(std::string key, const std::string& ifName) {
  if (key.find_first_of("./") != std::string::npos && key.at(key.find_first_of("./")) == '.') {
    std::ranges::transform(key, key.begin(), [](char c) { return c == '.' ? '/' : c == '/' ? '.' : c; });
  }
  constexpr std::string_view kPlaceholder = "IFNAME";
  if (const auto at = key.find(kPlaceholder); at != std::string::npos) key.replace(at, kPlaceholder.size(), ifName);
  return key;
}

Result<> decodeSysctls(Tuning& tuning, const Field& sysctls, const std::string& ifName) {
  for (const auto& [key, field] : TRY(sysctls.members())) {
    const std::string name = nameOf(key, ifName);
    const bool isNetwork = name.starts_with("net/") && name.find("..") == std::string::npos;
    if (!isNetwork) return field.invalid("a sysctl below net.*: others are not per network namespace");
    TRY(checkAllowed(field, key));
    tuning.sysctls[name] = TRY(field.text()).value_or("");
  }
  return {};
}

/// Members that `from` has replace those of `tuning`.
Result<> overlay(Tuning& tuning, const Field& from, const std::string& ifName) {
  TRY(decodeSysctls(tuning, from["sysctl"], ifName));
  if (const auto mac = TRY(from["mac"].parsed(parseMac, kExpectedMac))) tuning.mac = mac;
  if (const auto mtu = TRY(from["mtu"].number(0, kMaxMtu)); mtu && *mtu != 0) tuning.mtu = mtu;
  // false counts as not set: encoders write it for absent values.
  if (TRY(from["promisc"].boolean()).value_or(false)) tuning.promiscuous = true;
  if (TRY(from["allmulti"].boolean()).value_or(false)) tuning.allMulticast = true;
  if (const auto length = TRY(from["txQLen"].number(0, kMaxQueue))) tuning.transmitQueueLength = length;
  return {};
}

Result<> overlayMac(Tuning& tuning, const Field& root, const std::string& argument) {
  if (!argument.empty()) {
    tuning.mac = parseMac(argument);
    if (!tuning.mac) {
      return fail(ErrorCode::InvalidConfig,
                  "invalid MAC=" + argument + " in CNI_ARGS, expected " + std::string{kExpectedMac});
    }
  }
  if (const auto mac = TRY(root["runtimeConfig"]["mac"].parsed(parseMac, kExpectedMac))) tuning.mac = mac;
  return {};
}

}  // namespace

Result<Tuning> decodeTuning(const Field& root, const Environment& environment) {
  const CniArgs args = TRY(parseCniArgs(environment.args));
  Tuning tuning;
  TRY(overlay(tuning, root, environment.ifName));
  TRY(overlayMac(tuning, root, args.mac));
  TRY(overlay(tuning, root["args"]["cni"], environment.ifName));
  return tuning;
}

}  // namespace pons::cni
