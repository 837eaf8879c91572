// A network configuration, under the name of every plugin that pons answers to. The first line of the input says how it
// is called, as "ADD pons" does.
#include <algorithm>
#include <array>

#include "plugin/cni/decode/request.h"
#include "plugin/ledger/address_pool.h"

#include "tests/fuzz/targets.h"

namespace {

using namespace pons;
using namespace pons::cni;

const Environment kEnvironment{.command = "",
                               .containerId = "c1",
                               .netns = "/run/netns/c1",
                               .ifName = "eth0",
                               .args = "",
                               .path = "/opt/cni/bin",
                               .stateDir = ""};

/// Everything else is a fault of ours: nothing but the input was looked at.
void checkError(const Error& error) {
  constexpr std::array kOfInput{
      ErrorCode::IncompatibleVersion, ErrorCode::UnsupportedField,  ErrorCode::Io, ErrorCode::Decode,
      ErrorCode::InvalidConfig,       ErrorCode::InvalidEnvironment};
  HOLDS(std::ranges::find(kOfInput, error.code) != kOfInput.end());
  HOLDS(!error.message.empty());
  const auto parsed = parseError(printError(error, "1.1.0"));
  HOLDS(parsed && parsed->code == error.code);
}

void checkRanges(const AddressRequest& request) {
  HOLDS(checkRangeSets(request.sets).ok());
  for (const RangeSet& set : request.sets) {
    const AddressPool pool{set, request.excluded};
    if (pool.size() == 0) continue;
    for (const netlib::IpAddress& address : {pool.nth(0), pool.nth(pool.size() - 1)}) {
      HOLDS(pool.contains(address));
      HOLDS(pool.leaseOf(address).address.contains(address));
    }
  }
}

/// What Config promises.
void checkConsistent(const Config& config) {
  const bool foreign = config.delegated.has_value();
  const bool hasAddresses = foreign || !config.addresses.sets.empty() || !config.addresses.fixed.empty();
  HOLDS(!(config.hairpin && config.bridge.promiscuous));
  HOLDS(hasAddresses || !(config.bridge.gateway || config.isDefaultGateway));
  HOLDS(!config.isDefaultGateway || config.bridge.gateway);
  HOLDS(!config.egress || config.guard == SpoofGuard::Address);
  HOLDS(!config.internal || !(config.isDefaultGateway || !config.masquerade.empty() || !config.portMappings.empty()));
  HOLDS(config.settings.stateDir.starts_with('/'));
  HOLDS(!config.delegated || config.delegated->type.find('/') == std::string::npos);
  for (const netlib::IpPrefix& prefix : config.masqueradeExcluded) HOLDS(!prefix.hasHostBits());
  if (config.egress) {
    for (const netlib::IpPrefix& prefix : config.egress->destinations) HOLDS(!prefix.hasHostBits());
  }
  for (const PortMapping& mapping : config.portMappings) HOLDS(mapping.hostPort != 0 && mapping.containerPort != 0);
  for (const auto& limit : config.bandwidth ? std::array{config.bandwidth->ingress, config.bandwidth->egress}
                                            : std::array<std::optional<RateLimit>, 2>{}) {
    HOLDS(!limit || limit->rate >= kMinRate);
  }
  if (config.rootfs) HOLDS(config.rootfs->starts_with('/') && config.rootfs->find('\0') == std::string::npos);
  if (config.tuning) {
    for (const auto& [sysctl, value] : config.tuning->sysctls) HOLDS(sysctl.starts_with("net/"));
  }
  HOLDS(parseResolvConf(printResolvConf(config.dns)) == config.dns);
  checkRanges(config.addresses);
}

void checkAttachment(Verb verb, const Environment& environment, std::string_view input) {
  const auto request = parseRequest(verb, environment, input);
  if (!request) return checkError(request.error());
  if (verb != Verb::Del) checkConsistent(request->config);
  // Whatever was added can be deleted, with the same state directory.
  const auto del = parseRequest(Verb::Del, environment, input);
  HOLDS(del.ok());
  HOLDS(del->key == request->key);
  HOLDS(del->config.settings == request->config.settings);
  if (verb == Verb::Add) HOLDS(del->config.addresses.hostLocalDir == request->config.addresses.hostLocalDir);
}

void checkNetwork(Verb verb, const Environment& environment, std::string_view input) {
  const auto request = parseNetworkRequest(verb, environment, input);
  if (!request) return checkError(request.error());
  HOLDS(request->version >= Version::V1_1_0);
  if (verb != Verb::Gc) checkConsistent(request->config);  // an invalid one is decoded as for DEL
}

void checkIpam(Verb verb, const Environment& environment, std::string_view input) {
  const auto request = parseIpamRequest(verb, environment, input, nameOf(environment.applet));
  if (!request) return checkError(request.error());
  checkRanges(request->addresses);
}

}  // namespace

void fuzz::config(std::string_view input) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view call = input.substr(0, line);
  input.remove_prefix(std::min(line + 1, input.size()));

  Environment environment = kEnvironment;
  const std::size_t space = std::min(call.find(' '), call.size());
  environment.command = call.substr(0, space);
  environment.applet = appletOf(call.substr(std::min(space + 1, call.size())));
  const auto verb = verbOf(environment);
  if (!verb || !*verb || **verb == Verb::Version) return;

  HOLDS(parseVersion(versionForErrors(input)).has_value());
  if (environment.applet == Applet::HostLocal || environment.applet == Applet::Static) {
    checkIpam(**verb, environment, input);
  } else if (**verb == Verb::Gc || **verb == Verb::Status) {
    checkNetwork(**verb, environment, input);
  } else {
    checkAttachment(**verb, environment, input);
  }
}
