#include "plugin/cni/decode/requested.h"

#include <algorithm>

#include "netlib/base/text.h"

namespace pons::cni {

namespace {

constexpr std::string_view kExpectedAddress = "a unicast address other than loopback";
constexpr std::string_view kExpectedMac = "a unicast MAC address such as 0a:58:0a:2a:00:07";

std::optional<netlib::IpAddress> parseAddress(std::string_view text) {
  const auto prefix = netlib::IpPrefix::parse(text);
  const auto address = prefix ? std::optional{prefix->address()} : netlib::IpAddress::parse(text);
  return address && isUsable(*address) ? address : std::nullopt;
}

std::optional<netlib::MacAddress> parseMac(std::string_view text) {
  const auto mac = netlib::MacAddress::parse(text);
  return mac && mac->isUsable() ? mac : std::nullopt;
}

Failure invalidArg(std::string_view key, std::string_view value, std::string_view expected) {
  return fail(ErrorCode::InvalidConfig, "invalid " + std::string{key} + "=" + std::string{value} +
                                            " in CNI_ARGS, expected " + std::string{expected});
}

/// Kubernetes allows less, other runtimes use names of containers.
bool isPodName(std::string_view text) {
  constexpr std::size_t kMaxLength = 253;  // a DNS name, as in Kubernetes
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return text.size() <= kMaxLength && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<> appendAddresses(std::vector<netlib::IpAddress>& addresses, const Field& ips) {
  for (const Field& item : TRY(ips.items())) {
    if (const auto address = TRY(item.parsed(parseAddress, kExpectedAddress))) addresses.push_back(*address);
  }
  return {};
}

}  // namespace

bool isUsable(const netlib::IpAddress& address) {
  return !address.isUnspecified() && !address.isLoopback() && !address.isMulticast() && !address.isBroadcast();
}

Result<std::vector<netlib::IpAddress>> decodeRequestedAddresses(const Field& config, const CniArgs& args) {
  std::vector<netlib::IpAddress> all;
  TRY(appendAddresses(all, config["runtimeConfig"]["ips"]));
  TRY(appendAddresses(all, config["args"]["cni"]["ips"]));
  for (const std::string_view text : netlib::split(args.ip, ',')) {
    if (text.empty()) continue;
    const auto address = parseAddress(text);
    if (!address) return invalidArg("IP", text, kExpectedAddress);
    all.push_back(*address);
  }

  std::vector<netlib::IpAddress> distinct;
  for (const netlib::IpAddress& address : all) {
    if (std::ranges::find(distinct, address) == distinct.end()) distinct.push_back(address);
  }
  return distinct;
}

Result<std::optional<netlib::MacAddress>> decodeRequestedMac(const Field& config, const CniArgs& args) {
  for (const Field& field : {config["runtimeConfig"]["mac"], config["args"]["cni"]["mac"]}) {
    if (const auto mac = TRY(field.parsed(parseMac, kExpectedMac))) return mac;
  }
  if (args.mac.empty()) return std::nullopt;
  const auto mac = parseMac(args.mac);
  if (!mac) return invalidArg("MAC", args.mac, kExpectedMac);
  return mac;
}

std::string decodePod(const Environment& environment, std::vector<Error>& ignored) {
  const auto args = parseCniArgs(environment.args);  // decoders that need them refuse invalid ones
  if (!args || args->podNamespace.empty() || args->podName.empty()) return {};
  if (isPodName(args->podNamespace) && isPodName(args->podName)) return args->podNamespace + "/" + args->podName;
  ignored.emplace_back(
      ErrorCode::InvalidEnvironment,
      "K8S_POD_NAMESPACE and K8S_POD_NAME in CNI_ARGS are no names of letters, digits, '_', '.' and '-', up to 253 "
      "bytes");
  return {};
}

}  // namespace pons::cni
