#include "tests/property/runtime.h"

#include <algorithm>
#include <filesystem>

namespace property {
namespace {

using support::Outcome;

constexpr const char* kPlugins = "/run/plugins";

struct Plugin {
  std::string type;
  std::vector<std::string> members;  ///< of its configuration
};

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string member(const std::string& key, const std::string& value) { return quoted(key) + ": " + value; }

std::string member(const std::string& key, bool value) { return member(key, std::string{value ? "true" : "false"}); }

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

const char* nameOf(Ingress policy) {
  if (policy == Ingress::Open) return "open";
  return policy == Ingress::SameBridge ? "same-bridge" : "isolated";
}

std::string onDeny(const Settings& settings) { return member("onDeny", quoted(settings.silent ? "drop" : "reject")); }

std::string ipam(const Network& network) {
  constexpr unsigned kContainers = 50;
  std::string ranges;
  for (const Subnet& subnet : network.subnets) {
    ranges += (ranges.empty() ? "[{" : ", [{") +
              joined({member("subnet", quoted(subnet.network())),
                      member("rangeStart", quoted(subnet.address(network.numberOf(1)))),
                      member("rangeEnd", quoted(subnet.address(network.numberOf(kContainers))))}) +
              "}]";
  }
  const std::string files = network.isChain ? R"("type": "host-local", "dataDir": "/run/host-local", )" : "";
  return R"("ipam": {)" + files + R"("ranges": [)" + ranges + "]}";
}

std::string portMappings(const Settings& settings) {
  std::vector<std::string> mappings;
  for (const char* protocol : {"tcp", "udp"}) {
    if (std::string{protocol} == "udp" && !settings.udp) continue;
    std::vector<std::string> members{member("hostPort", std::to_string(settings.port)),
                                     member("containerPort", std::string{"80"}), member("protocol", quoted(protocol))};
    if (settings.restricted) {
      members.push_back(member("allowFrom", std::string{R"(["192.0.2.0/24", "2001:db8::/32"])"}));
    }
    mappings.push_back("{" + joined(members) + "}");
  }
  return R"("runtimeConfig": {"portMappings": [)" + joined(mappings) + "]}";
}

/// The keys that the native plugin and the reference plugin "bridge" have in common.
std::vector<std::string> bridgeMembers(const Network& network, const Settings& settings) {
  std::vector<std::string> members{
      member("bridge", quoted(network.bridge)), ipam(network),
      member("isGateway", settings.gateway),    member("ipMasq", settings.masquerade),
      member("hairpinMode", settings.hairpin),  member("promiscMode", settings.promiscuous),
      member("macspoofchk", settings.guard),    member("portIsolation", settings.isolated)};
  if (settings.mtu != 0) members.push_back(member("mtu", std::to_string(settings.mtu)));
  if (settings.excluded) members.push_back(member("ipMasqExclude", std::string{R"(["192.0.2.0/24"])"}));
  return members;
}

std::vector<Plugin> nativeOf(const Network& network, const Settings& settings) {
  std::vector<std::string> members = bridgeMembers(network, settings);
  members.push_back(member("ingressPolicy", quoted(nameOf(settings.ingress))));
  members.push_back(member("forward", quoted(settings.forward ? "auto" : "off")));
  members.push_back(member("internal", settings.internal));
  members.push_back(member("publishedOnly", settings.publishedOnly));
  members.push_back(onDeny(settings));
  if (settings.port != 0) members.push_back(portMappings(settings));
  if (settings.egress) {
    const std::string ipv6 = network.subnets.size() > 1 ? R"(, "fd00::/8")" : "";
    members.push_back(R"("egressPolicy": {"allowedCidrs": ["10.0.0.0/8")" + ipv6 + "]}");
  }
  return {{"pons", members}};
}

std::vector<Plugin> chainOf(const Network& network, const Settings& settings) {
  std::vector<Plugin> chain{{"bridge", bridgeMembers(network, settings)},
                            {"portmap", {member("snat", settings.sourceNat)}}};
  if (settings.port != 0) chain.back().members.push_back(portMappings(settings));
  if (settings.forward)
    chain.push_back({"firewall", {member("ingressPolicy", quoted(nameOf(settings.ingress))), onDeny(settings)}});
  return chain;
}

std::vector<Plugin> pluginsOf(const Network& network, const Settings& settings = {}) {
  return network.isChain ? chainOf(network, settings) : nativeOf(network, settings);
}

std::string configOf(const Network& network, const Plugin& plugin, const std::string& previous) {
  std::vector<std::string> members{member("cniVersion", quoted("1.1.0")), member("name", quoted(network.name)),
                                   member("type", quoted(plugin.type))};
  members.insert(members.end(), plugin.members.begin(), plugin.members.end());
  if (!previous.empty()) members.push_back(member("prevResult", previous));
  return "{" + joined(members) + "}";
}

std::string addressesOf(const Network& network, unsigned number) {
  std::string addresses;
  for (const Subnet& subnet : network.subnets) addresses += (addresses.empty() ? "" : ",") + subnet.address(number);
  return addresses;
}

/// The variables besides the verb; without a container those of GC and STATUS.
std::vector<std::string> variablesOf(const std::string& container, const std::string& args = {}) {
  std::vector<std::string> variables{std::string{"CNI_PATH="} + kPlugins, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  if (container.empty()) return variables;
  variables.push_back("CNI_CONTAINERID=" + container);
  variables.push_back("CNI_NETNS=/run/netns/" + container);
  variables.emplace_back("CNI_IFNAME=eth0");
  if (!args.empty()) variables.push_back("CNI_ARGS=" + args);
  return variables;
}

Outcome call(const std::string& verb, const std::string& type, std::vector<std::string> variables,
             const std::string& config) {
  variables.push_back("CNI_COMMAND=" + verb);
  return support::run({std::string{kPlugins} + "/" + type}, {.environment = std::move(variables), .input = config});
}

}  // namespace

Runtime::Runtime() {
  std::filesystem::create_directory(kPlugins);
  for (const char* name : {"pons", "bridge", "portmap", "firewall"}) {
    std::filesystem::create_symlink(PONS_BINARY, std::filesystem::path{kPlugins} / name);
  }
}

Outcome Runtime::add(const std::string& container, const Attachment& attachment, unsigned address) {
  const Network& network = attachment.network();
  const auto variables = variablesOf(container, "IP=" + addressesOf(network, address));
  Outcome outcome;
  std::string result;
  for (const Plugin& plugin : pluginsOf(network, attachment.settings)) {
    outcome = call("ADD", plugin.type, variables, configOf(network, plugin, result));
    if (!outcome.ok()) return outcome;
    result = outcome.out;
  }
  results_[container] = result;
  return outcome;
}

Outcome Runtime::check(const std::string& container, const Attachment& attachment) const {
  Outcome outcome;
  for (const Plugin& plugin : pluginsOf(attachment.network(), attachment.settings)) {
    const std::string config = configOf(attachment.network(), plugin, results_.at(container));
    outcome = call("CHECK", plugin.type, variablesOf(container), config);
    if (!outcome.ok()) return outcome;
  }
  return outcome;
}

Outcome Runtime::del(const std::string& container, const Attachment& attachment) {
  const auto result = results_.extract(container);
  std::vector<Plugin> plugins = pluginsOf(attachment.network(), attachment.settings);
  std::ranges::reverse(plugins);
  Outcome outcome;
  for (const Plugin& plugin : plugins) {
    const std::string config = configOf(attachment.network(), plugin, result ? result.mapped() : "");
    outcome = call("DEL", plugin.type, variablesOf(container), config);
    if (!outcome.ok()) return outcome;
  }
  return outcome;
}

Outcome Runtime::gc(const Network& network, const std::optional<std::set<unsigned>>& valid) const {
  std::vector<std::string> list;
  for (const unsigned container : valid.value_or(std::set<unsigned>{})) {
    list.push_back(R"({"containerID": "c)" + std::to_string(container) + R"(", "ifname": "eth0"})");
  }
  Outcome outcome;
  for (Plugin plugin : pluginsOf(network)) {
    if (valid) plugin.members.push_back(R"("cni.dev/valid-attachments": [)" + joined(list) + "]");
    outcome = call("GC", plugin.type, variablesOf({}), configOf(network, plugin, {}));
    if (!outcome.ok()) return outcome;
  }
  return outcome;
}

Outcome Runtime::status(const Network& network) const {
  Outcome outcome;
  for (const Plugin& plugin : pluginsOf(network)) {
    outcome = call("STATUS", plugin.type, variablesOf({}), configOf(network, plugin, {}));
    if (!outcome.ok()) return outcome;
  }
  return outcome;
}

Outcome Runtime::ponsctl(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{PONSCTL_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return support::run(argv, {.environment = std::vector<std::string>{}, .input = {}});
}

std::string described(const Settings& settings) {
  const Settings defaults;
  std::string text;
  const auto addIf = [&text](bool differs, const std::string& part) { text += differs ? " " + part : ""; };
  addIf(settings.mtu != 0, "mtu=" + std::to_string(settings.mtu));
  addIf(settings.ingress != Ingress::Open, std::string{"ingressPolicy="} + nameOf(settings.ingress));
  addIf(settings.port != 0, "port=" + std::to_string(settings.port) + (settings.udp ? "/tcp+udp" : "/tcp"));
  addIf(settings.restricted, "allowFrom");
  const auto addFlag = [&](const char* key, bool Settings::*flag) {
    addIf(settings.*flag != defaults.*flag, std::string{key} + (settings.*flag ? "" : "=false"));
  };
  addFlag("isGateway", &Settings::gateway);
  addFlag("ipMasq", &Settings::masquerade);
  addFlag("hairpinMode", &Settings::hairpin);
  addFlag("macspoofchk", &Settings::guard);
  addFlag("forward", &Settings::forward);
  addFlag("snat", &Settings::sourceNat);
  addFlag("promiscMode", &Settings::promiscuous);
  addFlag("portIsolation", &Settings::isolated);
  addFlag("internal", &Settings::internal);
  addFlag("publishedOnly", &Settings::publishedOnly);
  addFlag("onDeny=drop", &Settings::silent);
  addFlag("ipMasqExclude", &Settings::excluded);
  addFlag("egressPolicy", &Settings::egress);
  return text;
}

}  // namespace property
