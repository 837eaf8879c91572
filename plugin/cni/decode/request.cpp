#include "plugin/cni/decode/request.h"

#include <algorithm>

#include "plugin/cni/decode/ipam_config.h"

namespace pons::cni {

namespace {

Result<> checkRequired(Verb verb, const Environment& environment) {
  std::string missing;
  const auto require = [&missing](std::string_view name, const std::string& value) {
    if (value.empty()) missing.append(missing.empty() ? "" : ",").append(name);
  };
  require("CNI_CONTAINERID", environment.containerId);
  if (verb != Verb::Del) require("CNI_NETNS", environment.netns);
  require("CNI_IFNAME", environment.ifName);
  if (missing.empty()) return {};
  return fail(ErrorCode::InvalidEnvironment, "required env variables [" + missing + "] missing");
}

Result<ContainerId> parseContainerId(const std::string& text) {
  if (text.size() > ContainerId::kMaxLength) {
    return fail(ErrorCode::InvalidEnvironment,
                "CNI_CONTAINERID is longer than " + std::to_string(ContainerId::kMaxLength) + " bytes", text);
  }
  const auto id = ContainerId::parse(text);
  if (!id) return fail(ErrorCode::InvalidEnvironment, "invalid characters in containerID", "CNI_CONTAINERID=" + text);
  return *id;
}

Result<netlib::IfName> parseIfName(const std::string& text) {
  const auto name = netlib::IfName::parse(text);
  if (name) return *name;
  return fail(ErrorCode::InvalidEnvironment, "CNI_IFNAME is not a valid interface name",
              "\"" + text + "\": must have " + std::string{netlib::IfName::kRule});
}

Result<json::Document> parseDocument(Verb verb, std::string_view input) {
  const std::size_t limit = verb == Verb::Del || verb == Verb::Check ? kMaxInputWithResult : kMaxInput;
  if (input.size() > limit) {
    return fail(ErrorCode::Io, "network config on stdin is larger than " + std::to_string(limit) + " bytes");
  }
  auto document = json::Document::parse(input);
  if (!document) return fail(ErrorCode::Decode, "error parsing network config: " + document.error().message);
  return std::move(document).value();
}

Result<NetworkName> decodeNetworkName(const Field& field) {
  const auto text = TRY(field.text());
  if (!text) return withKey(field.path(), fail(ErrorCode::InvalidConfig, "missing network name"));
  const auto name = NetworkName::parse(*text);
  if (name) return *name;
  return withKey(field.path(), fail(ErrorCode::InvalidConfig, "invalid characters found in network name",
                                    "\"" + *text + "\": up to " + std::to_string(NetworkName::kMaxLength) +
                                        " letters, digits, '_', '.' and '-', beginning with a letter or digit"));
}

Result<Version> decodeVersion(const Field& field, Verb verb, Applet applet) {
  const std::string text = TRY(field.text()).value_or("");
  const auto version = parseVersion(text);
  const Version oldest = oldestVersionOf(applet);
  if (!version || *version < oldest) {
    return withKey(field.path(), fail(ErrorCode::IncompatibleVersion, "incompatible CNI versions",
                                      "config is \"" + text + "\", plugin supports " + supportedVersions(oldest)));
  }
  if (verb == Verb::Check && *version < Version::V0_4_0) {
    return fail(ErrorCode::IncompatibleVersion, "config version does not allow CHECK",
                "config is \"" + std::string{textOf(*version)} + "\", CHECK requires 0.4.0");
  }
  if ((verb == Verb::Gc || verb == Verb::Status) && *version < Version::V1_1_0) {
    return fail(ErrorCode::IncompatibleVersion, "config version does not allow " + std::string{nameOf(verb)},
                "config is \"" + std::string{textOf(*version)} + "\", GC and STATUS require 1.1.0");
  }
  return *version;
}

/// Nothing for an ID or name that pons rejects in ADD: no attachment of pons has it.
Result<std::optional<ValidAttachment>> decodeValidAttachment(const Field& field) {
  const Field object = TRY(field.object());
  const auto containerText = TRY(object["containerID"].text());
  const auto ifNameText = TRY(object["ifname"].text());
  if (!containerText) return object["containerID"].missing();
  if (!ifNameText) return object["ifname"].missing();
  const auto container = ContainerId::parse(*containerText);
  const auto ifName = netlib::IfName::parse(*ifNameText);
  if (!container || !ifName) return std::optional<ValidAttachment>{};
  return std::optional{ValidAttachment{*container, *ifName}};
}

Result<std::optional<std::vector<ValidAttachment>>> decodeValidAttachments(const Field& root) {
  const bool isCurrent = root.has("cni.dev/valid-attachments");
  // libcni sends null for an empty array: the encoding of a nil slice in Go.
  if (!isCurrent && !root.has("cni.dev/attachments")) return std::optional<std::vector<ValidAttachment>>{};
  const Field field = isCurrent ? root["cni.dev/valid-attachments"] : root["cni.dev/attachments"];
  std::vector<ValidAttachment> valid;
  for (const Field& item : TRY(field.items())) {
    if (auto attachment = TRY(decodeValidAttachment(item))) valid.push_back(*std::move(attachment));
  }
  return std::optional{std::move(valid)};
}

std::vector<UnknownKey> mistakesIn(Applet applet, const json::Value& root) {
  std::vector<UnknownKey> unknown = unknownKeys(applet, root);
  std::erase_if(unknown, [](const UnknownKey& key) { return key.isForeign; });
  return unknown;
}

/// Without addresses, "ipam" is for layer 2: unless a misspelled key is why it gives none.
Result<> requireAddresses(const Request& request) {
  const AddressRequest& addresses = request.config.addresses;
  const bool givesAddresses = request.config.delegated || !addresses.sets.empty() || !addresses.fixed.empty();
  if (givesAddresses || request.key.plugin != ChainedPlugin::None) return {};
  const auto inIpam =
      std::ranges::find_if(request.mistakes, [](const auto& one) { return one.key.starts_with("ipam."); });
  if (inIpam == request.mistakes.end()) return {};
  return withKey(inIpam->key, fail(ErrorCode::InvalidConfig, "\"ipam\" gives no addresses",
                                   "unknown key \"" + inIpam->key + "\"" + inIpam->hint()));
}

}  // namespace

Result<Request> parseRequest(Verb verb, const Environment& environment, std::string_view input) {
  TRY(checkRequired(verb, environment));
  const ContainerId container = TRY(parseContainerId(environment.containerId));
  const netlib::IfName ifName = TRY(parseIfName(environment.ifName));

  const json::Document document = TRY(parseDocument(verb, input));
  const Field root{document.root(), ""};
  const NetworkName network = TRY(decodeNetworkName(root["name"]));
  const Version version = TRY(decodeVersion(root["cniVersion"], verb, environment.applet));

  Request request{.applet = environment.applet,
                  .verb = verb,
                  .version = version,
                  .key = {network, container, ifName, chainedPluginOf(environment.applet)},
                  .netnsPath = environment.netns,
                  .config = {},
                  .previous = std::nullopt};
  const json::Value previous = document["prevResult"];
  if (verb == Verb::Del) {
    request.config = decodeConfigOfDel(root, environment, input);
    if (!previous.present()) return request;
    if (auto readable = parsePrevResult(previous, version)) {
      request.previous = std::move(*readable);
    } else {
      request.config.ignored.push_back(readable.error());
    }
    return request;
  }
  request.config = TRY(decodeConfig(root, version, environment, input));
  if (previous.present()) request.previous = TRY(parsePrevResult(previous, version));
  if (request.key.plugin != ChainedPlugin::None && !request.previous) {
    return fail(ErrorCode::InvalidConfig,
                std::string{nameOf(request.applet)} + " must be called as a chained plugin: \"prevResult\" is missing");
  }
  if (verb == Verb::Add) {
    request.mistakes = mistakesIn(environment.applet, document.root());
    TRY(requireAddresses(request));
  }
  return request;
}

Result<NetworkRequest> parseNetworkRequest(Verb verb, const Environment& environment, std::string_view input) {
  const json::Document document = TRY(parseDocument(verb, input));
  const Field root{document.root(), ""};
  const NetworkName network = TRY(decodeNetworkName(root["name"]));
  const Version version = TRY(decodeVersion(root["cniVersion"], verb, environment.applet));
  auto decoded = decodeConfig(root, version, environment, input);
  // An invalid configuration must not block the removal of attachments made with earlier versions of it.
  if (!decoded && verb == Verb::Gc) {
    Config needed = decodeConfigOfDel(root, environment, input);
    const Error& reason = decoded.error();
    const bool isKnown = std::ranges::find(needed.ignored, reason.message, &Error::message) != needed.ignored.end();
    if (!isKnown) needed.ignored.push_back(reason);
    decoded = std::move(needed);
  }
  Config config = TRY(std::move(decoded));
  NetworkRequest request{.verb = verb,
                         .version = version,
                         .network = network,
                         .plugin = chainedPluginOf(environment.applet),
                         .config = std::move(config),
                         .valid = std::nullopt};
  if (verb == Verb::Gc) request.valid = TRY(decodeValidAttachments(root));
  return request;
}

Result<IpamRequest> parseIpamRequest(Verb verb, const Environment& environment, std::string_view input,
                                     std::string_view type) {
  const bool ofNetwork = verb == Verb::Gc || verb == Verb::Status;
  if (!ofNetwork) TRY(checkRequired(verb, environment));
  const json::Document document = TRY(parseDocument(verb, input));
  const Field root{document.root(), ""};
  const NetworkName network = TRY(decodeNetworkName(root["name"]));
  const Version version = TRY(decodeVersion(root["cniVersion"], verb, environment.applet));
  TRY(refuseList(root));
  if (!root["ipam"]["type"].is(type)) return root["ipam"]["type"].invalid("\"" + std::string{type} + "\"");

  IpamRequest request{.verb = verb,
                      .version = version,
                      .network = network,
                      .key = {},
                      .addresses = {},
                      .routes = {},
                      .dns = {},
                      .previous = {},
                      .valid = {},
                      .ignored = {}};
  if (!ofNetwork) {
    const ContainerId container = TRY(parseContainerId(environment.containerId));
    const netlib::IfName ifName = TRY(parseIfName(environment.ifName));
    request.key = AttachmentKey{network, container, ifName};
  }
  if (verb == Verb::Del) {
    const ExternalIpam byDefault{.hostLocalDir = kHostLocalDir, .delegatedType = {}};
    request.addresses.hostLocalDir = orDefault(decodeExternalIpam(root), byDefault, request.ignored).hostLocalDir;
    return request;
  }
  const CniArgs args = TRY(parseCniArgs(environment.args));
  IpamConfig ipam = TRY(decodeIpam(root, version, args));
  request.addresses = std::move(ipam.addresses);
  request.routes = std::move(ipam.routes);
  request.dns = TRY(decodeIpamDns(root));
  if (const json::Value previous = document["prevResult"]; previous.present()) {
    request.previous = TRY(parsePrevResult(previous, version));
  }
  if (verb == Verb::Gc) request.valid = TRY(decodeValidAttachments(root));
  if (verb == Verb::Add) request.mistakes = mistakesIn(environment.applet, document.root());
  return request;
}

std::string_view versionForErrors(std::string_view input) {
  if (input.size() > kMaxInputWithResult) return textOf(kNewestVersion);
  const auto document = json::Document::parse(input);
  if (!document) return textOf(kNewestVersion);
  const auto version = parseVersion((*document)["cniVersion"].string().value_or(""));
  return textOf(version.value_or(kNewestVersion));
}

std::string versionAskedIn(std::string_view input) {
  constexpr std::size_t kMaxLength = 32;
  const auto document = json::Document::parse(input);
  const std::string asked{document ? (*document)["cniVersion"].string().value_or("") : ""};
  const bool isVersion =
      !asked.empty() && asked.size() <= kMaxLength && asked.find_first_not_of("0123456789.") == std::string::npos;
  return isVersion ? asked : std::string{textOf(kNewestVersion)};
}

}  // namespace pons::cni
