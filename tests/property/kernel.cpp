#include "tests/property/kernel.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

// As plugin/json/rapid.h has it: with another width the two would have different functions of one name.
#define RAPIDJSON_NO_SIZETYPEDEFINE
namespace rapidjson {
using SizeType = ::std::size_t;
}
#include <rapidjson/document.h>

#include "tests/support/process.h"
#include "tests/support/text.h"

namespace property {
namespace {

using Json = rapidjson::Value;
using Containers = std::map<std::string, std::string>;

rapidjson::Document outputOf(const std::vector<std::string>& argv) {
  const std::string text = support::outputOf(argv);
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError()) throw std::runtime_error(argv.front() + " printed no JSON: " + text);
  return document;
}

/// Null where there is none.
const Json& member(const Json& object, const char* name) {
  static const Json none;
  if (!object.IsObject()) return none;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? none : found->value;
}

Json::ConstArray itemsOf(const Json& value) {
  static const Json none{rapidjson::kArrayType};
  return (value.IsArray() ? value : none).GetArray();
}

/// As nft prints it without -j: "tcp . 8080", "10.42.0.0/24"; of a verdict the chain.
std::string textOf(const Json& value) {
  if (value.IsString()) return value.GetString();
  if (value.IsBool()) return value.GetBool() ? "on" : "off";
  if (value.IsInt64()) return std::to_string(value.GetInt64());
  if (const Json& element = member(value, "elem"); element.IsObject()) return textOf(member(element, "val"));
  if (const Json& prefix = member(value, "prefix"); prefix.IsObject()) {
    return textOf(member(prefix, "addr")) + "/" + textOf(member(prefix, "len"));
  }
  for (const char* verdict : {"jump", "goto"}) {
    if (const Json& target = member(value, verdict); target.IsObject()) return textOf(member(target, "target"));
  }
  std::string text;
  for (const Json& part : itemsOf(member(value, "concat"))) text += (text.empty() ? "" : " . ") + textOf(part);
  return text;
}

std::string sysctl(const std::string& name) {
  const std::string value = support::contentOf("/proc/sys/net/" + name);
  return value.substr(0, value.find('\n'));
}

bool hasFlag(const Json& link, const std::string& flag) {
  const auto flags = itemsOf(member(link, "flags"));
  return std::any_of(flags.begin(), flags.end(), [&](const Json& set) { return textOf(set) == flag; });
}

/// "pons /run/pons one c1 eth0": the word in front of the interface.
std::string containerIn(const std::string& alias) {
  std::istringstream words{alias};
  std::string container;
  for (std::string word; words >> word && word != "eth0";) container = word;
  return container;
}

void addBridge(Facts& facts, const Json& link) {
  const std::string name = textOf(member(link, "ifname"));
  facts["bridge " + name] = hasFlag(link, "UP") ? "up" : "down";
  facts["mtu " + name] = textOf(member(link, "mtu"));
  if (hasFlag(link, "PROMISC")) facts["promiscuous " + name] = "on";
  const Json& data = member(member(link, "linkinfo"), "info_data");
  const std::string filter = textOf(member(data, "nf_call_iptables")) + " " + textOf(member(data, "nf_call_ip6tables"));
  if (filter != "0 0") facts["br_netfilter " + name] = filter;
  const std::string localnet = sysctl("ipv4/conf/" + name + "/route_localnet");
  if (localnet != "0") facts["route_localnet " + name] = localnet;
  for (const Json& address : itemsOf(member(link, "addr_info"))) {
    if (textOf(member(address, "scope")) != "global") continue;
    facts["address " + name + " " + textOf(member(address, "local")) + "/" + textOf(member(address, "prefixlen"))] = "";
  }
}

void addPort(Facts& facts, const Json& link, const std::string& container) {
  const std::string bridge = textOf(member(link, "master"));
  facts["port " + container] = bridge.empty() ? "of no bridge" : bridge;
  facts["guard " + container] = textOf(member(link, "group"));
  if (bridge.empty()) return;
  const Json& port = member(member(link, "linkinfo"), "info_slave_data");
  facts["hairpin " + container] = textOf(member(port, "hairpin"));
  facts["isolated " + container] = textOf(member(port, "isolated"));
}

void addLinks(Facts& facts, Containers& containers) {
  const rapidjson::Document links = outputOf({"ip", "-d", "-j", "addr"});
  for (const Json& link : itemsOf(links)) {
    const std::string alias = textOf(member(link, "ifalias"));
    if (textOf(member(member(link, "linkinfo"), "info_kind")) == "bridge") {
      addBridge(facts, link);
    } else if (alias.starts_with("pons ")) {
      const std::string container = containerIn(alias);
      containers[textOf(member(link, "ifname"))] = container;
      addPort(facts, link, container);
    }
  }
}

/// Of the spoof guard: "<port> . <MAC>", with " . <address>" behind it for a sender.
void addGuard(Facts& facts, const std::string& set, const std::string& key, const Containers& containers) {
  const std::size_t end = std::min(key.find(' '), key.size());
  const auto known = containers.find(key.substr(0, end));
  const std::string container = known == containers.end() ? key.substr(0, end) : known->second;
  if (set == "macs") facts["element bridge macs " + container] = "";
  if (set.starts_with("senders"))
    facts["element bridge " + (set + " " + container) + key.substr(key.rfind(" . "))] = "";
}

void addElement(Facts& facts, const std::string& family, const std::string& set, const std::string& key,
                const std::string& data) {
  if (set.starts_with("net_")) {
    facts["masquerade " + (family + " " + key)] = "";
  } else {
    const std::string name = "element " + (family + " " + set + " " + key);
    facts[name] = data.starts_with("egress_") ? "egress" : data;
    if (set == "restrictions") facts[name] = "hash";
  }
}

void addSet(Facts& facts, const Json& set, const Containers& containers) {
  const std::string family = textOf(member(set, "family"));
  const std::string name = textOf(member(set, "name"));
  if (name == "ledger") return;  // the table's owner: independent of attachments
  for (const Json& element : itemsOf(member(set, "elem"))) {
    const auto pair = itemsOf(element);  // of a map: key and data
    const std::string key = textOf(pair.Empty() ? element : *pair.begin());
    const std::string data = pair.Empty() ? "" : textOf(*(pair.end() - 1));
    // Link-local addresses are derived from the MAC, which the model does not know.
    if (key.find("fe80:") != std::string::npos) continue;
    if (family == "bridge") {
      addGuard(facts, name, key, containers);
    } else {
      addElement(facts, family, name, key, data);
    }
  }
}

void addChain(Facts& facts, const Json& chain) {
  const std::string family = textOf(member(chain, "family"));
  const std::string name = textOf(member(chain, "name"));
  if (name.starts_with("subnet_")) facts["chain " + (family + " " + name)] = "";
  if (!name.starts_with("net_")) return;
  std::string& count = facts["chains " + family];
  count = std::to_string(count.empty() ? 1 : std::stoi(count) + 1);
}

/// In a chain of the host's firewall.
void addRule(Facts& facts, const Json& rule) {
  const std::string mark = "pons forward ";
  const std::string comment = textOf(member(rule, "comment"));
  if (!comment.starts_with(mark)) return;
  const std::string bridge = comment.substr(mark.size());
  for (const Json& part : itemsOf(member(rule, "expr"))) {
    if (part.IsObject() && part.HasMember("jump")) facts["jump " + bridge] = textOf(part);
    if (!part.IsObject() || !part.HasMember("accept")) continue;
    std::string& count = facts["accept " + bridge];
    count = std::to_string(count.empty() ? 1 : std::stoi(count) + 1);
  }
}

void addTables(Facts& facts, const Containers& containers) {
  const rapidjson::Document ruleset = outputOf({"nft", "-j", "list", "ruleset"});
  for (const Json& object : itemsOf(member(ruleset, "nftables"))) {
    const auto isOfPons = [](const Json& part) { return textOf(member(part, "table")) == "pons"; };
    const Json& table = member(object, "table");
    if (textOf(member(table, "name")) == "pons") facts["table " + textOf(member(table, "family"))] = "";
    for (const char* kind : {"set", "map"}) {
      if (const Json& set = member(object, kind); isOfPons(set)) addSet(facts, set, containers);
    }
    if (const Json& chain = member(object, "chain"); isOfPons(chain)) addChain(facts, chain);
    addRule(facts, member(object, "rule"));
  }
}

}  // namespace

Facts KernelReader::read() {
  Facts facts;
  addLinks(facts, containers_);
  addTables(facts, containers_);
  for (const auto& [fact, name] :
       {std::pair{"forwarding ip", "ipv4/ip_forward"}, std::pair{"forwarding ip6", "ipv6/conf/all/forwarding"}}) {
    if (const std::string value = sysctl(name); value != "0") facts[fact] = value;
  }
  return facts;
}

}  // namespace property
