#include "plugin/cni/environment.h"

#include <algorithm>
#include <array>

#include "netlib/base/text.h"

namespace pons::cni {

namespace {

constexpr std::array<std::string_view, 6> kVerbs{"ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"};

}  // namespace

std::string_view nameOf(Verb verb) { return kVerbs.at(static_cast<std::size_t>(verb)); }

Environment Environment::read(const Lookup& lookup, std::string_view argv0) {
  const auto get = [&lookup](const char* name) {
    const char* value = lookup(name);
    return std::string{value == nullptr ? "" : value};
  };
  return {
      .command = get("CNI_COMMAND"),
      .containerId = get("CNI_CONTAINERID"),
      .netns = get("CNI_NETNS"),
      .ifName = get("CNI_IFNAME"),
      .args = get("CNI_ARGS"),
      .path = get("CNI_PATH"),
      .stateDir = get("PONS_STATE_DIR"),
      .log = get("PONS_LOG"),
      .traceParent = get("TRACEPARENT"),
      .trace = get("PONS_TRACE") == "1",
      .applet = appletOf(argv0),
  };
}

Result<std::optional<Verb>> verbOf(const Environment& environment) {
  if (environment.command.empty()) return std::nullopt;
  const auto found = std::ranges::find(kVerbs, environment.command);
  if (found == kVerbs.end()) {
    return fail(ErrorCode::InvalidEnvironment, "unknown CNI_COMMAND: " + environment.command);
  }
  return static_cast<Verb>(found - kVerbs.begin());
}

std::optional<std::string> traceParentOf(const Environment& environment) {
  constexpr std::string_view kFormat = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
  const auto matches = [](char c, char form) {
    return form == 'h' ? (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') : c == form;
  };
  if (!std::ranges::equal(environment.traceParent, kFormat, matches)) return std::nullopt;
  return environment.traceParent;
}

Result<CniArgs> parseCniArgs(std::string_view text) {
  CniArgs args;
  if (text.empty()) return args;
  for (const std::string_view pair : netlib::split(text, ';')) {
    const std::vector<std::string_view> parts = netlib::split(pair, '=');
    if (parts.size() != 2) {
      return fail(ErrorCode::InvalidEnvironment, "ARGS: invalid pair \"" + std::string{pair} + "\"",
                  "CNI_ARGS must have the format KEY=value;KEY=value");
    }
    if (parts[0] == "IP") args.ip = parts[1];
    if (parts[0] == "MAC") args.mac = parts[1];
    if (parts[0] == "GATEWAY") args.gateway = parts[1];
    if (parts[0] == "K8S_POD_NAMESPACE") args.podNamespace = parts[1];
    if (parts[0] == "K8S_POD_NAME") args.podName = parts[1];
  }
  return args;
}

}  // namespace pons::cni
