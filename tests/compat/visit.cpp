#include "tests/compat/visit.h"

#include <regex>
#include <sstream>

#include "plugin/json/json.h"

namespace support {
namespace {

constexpr std::uint16_t kPublished = 8080;
constexpr std::uint16_t kWeb = 80;
constexpr std::uint16_t kFar = 443;
constexpr std::uint16_t kNear = 7000;

struct LinkName {
  std::string name;
  bool inContainer;
};

std::vector<LinkName> linksOf(const std::string& result) {
  const auto document = pons::json::Document::parse(result);
  std::vector<LinkName> links;
  for (const auto& interface : (*document)["interfaces"].items()) {
    links.push_back({std::string{interface["name"].string().value_or("")}, interface["sandbox"].present()});
  }
  return links;
}

std::string macOf(const std::string& shown) {
  std::smatch found;
  return std::regex_search(shown, found, std::regex{R"re("address": ?"([0-9a-f:]{17})")re"}) ? found[1].str() : "";
}

/// Facts about one link, and its MAC address.
std::string addLink(Facts& facts, const std::string& subject, const std::string& name) {
  const std::string shown = outputOf({"ip", "-j", "-d", "link", "show", "dev", name});
  addJson(facts, subject, shown);
  addParameters(facts, subject + " ipv4", "net/ipv4/conf/" + name);
  addParameters(facts, subject + " ipv6", "net/ipv6/conf/" + name);
  addLines(facts, subject + " address", outputOf({"ip", "-o", "address", "show", "dev", name}));
  return macOf(shown);
}

/// Without those of the local table, which follow from the addresses, for IPv6 some time after.
void addRoutes(Facts& facts, const std::string& subject) {
  for (const char* family : {"-4", "-6"}) {
    std::string routes;
    std::istringstream lines{outputOf({"ip", family, "route", "show", "table", "all"})};
    for (std::string line; std::getline(lines, line);) {
      if (line.find(" table local ") == std::string::npos) routes += line + "\n";
    }
    addLines(facts, subject + " route", routes);
  }
}

std::string nameOf(std::size_t position) { return "<link " + std::to_string(position) + ">"; }

void addTraffic(Facts& facts, const std::string& way, const std::optional<std::string>& answer) {
  facts.insert("traffic " + way + " = " + answer.value_or("nothing"));
}

struct FamilyNames {
  std::string any;
  std::string host;
  std::string outside;
};

FamilyNames namesFor(const std::string& address) {
  if (address.find(':') == std::string::npos) return {"0.0.0.0", "192.0.2.1", "192.0.2.2"};
  return {"::", "2001:db8:1::1", "2001:db8:1::2"};
}

void tryFamily(Facts& facts, Side& side, bool published, const Attached& first, const Attached& second,
               std::size_t which) {
  const std::string address = first.addresses[which];
  const FamilyNames names = namesFor(address);
  const std::string family = names.any == "::" ? " (IPv6)" : "";
  const Server far{side.outside, Transport::Tcp, endpoint(names.outside, kFar), "far"};
  const Server near{support::kHere, Transport::Tcp, endpoint(names.any, kNear), "near"};
  const Server web{first.netns, Transport::Tcp, endpoint(names.any, kWeb), "web"};
  const auto to = [&](const Place& from, const std::string& where, std::uint16_t port) {
    return ask(from, Transport::Tcp, endpoint(where, port));
  };
  addTraffic(facts, "container to outside" + family, to(first.netns, names.outside, kFar));
  addTraffic(facts, "container to gateway" + family, to(first.netns, first.gateways[which], kNear));
  addTraffic(facts, "container to container" + family, to(second.netns, address, kWeb));
  addTraffic(facts, "host to container" + family, to(support::kHere, address, kWeb));
  if (!published) return;
  addTraffic(facts, "outside to published port" + family, to(side.outside, names.host, kPublished));
  addTraffic(facts, "host to published port" + family, to(support::kHere, names.host, kPublished));
  addTraffic(facts, "neighbour to published port" + family, to(second.netns, names.host, kPublished));
  if (family.empty()) addTraffic(facts, "host to 127.0.0.1" + family, to(support::kHere, "127.0.0.1", kPublished));
}

/// Nomad makes its admin chain before the first container.
void prepare(const Conflist& list) {
  if (list.name != "nomad") return;
  outputOf({"iptables", "-N", "NOMAD-ADMIN"});
  outputOf({"iptables", "-A", "NOMAD-ADMIN", "-o", "nomad", "-d", "172.26.64.0/20", "-j", "ACCEPT"});
}

/// /run/flannel/subnet.env as written by flanneld.
void writeFlannelEnv() {
  outputOf({"mkdir", "-p", "/run/flannel"});
  const std::string lines =
      "FLANNEL_NETWORK=10.244.0.0/16\\nFLANNEL_SUBNET=10.244.1.1/24\\nFLANNEL_MTU=1450\\nFLANNEL_IPMASQ=true\\n";
  outputOf({"sh", "-c", "printf '" + lines + "' >/run/flannel/subnet.env"});
}

std::string failureOf(const Outcome& outcome) {
  return std::to_string(outcome.exitCode) + (outcome.ok() ? "" : " " + outcome.err);
}

std::string differenceOf(const std::string& before, const std::string& after) {
  Facts had, has;
  addLines(had, "host", before);
  addLines(has, "host", after);
  return unjustified(had, has, {});
}

}  // namespace

Facts stateOf(Side& side, const Attached& attached) {
  Facts facts;
  std::vector<std::pair<std::string, std::string>> names;
  addJson(facts, "result", attached.result);
  const auto links = linksOf(attached.result);
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::string subject = (links[i].inContainer ? "container " : "host ") + nameOf(i);
    const auto look = [&] { return addLink(facts, subject, links[i].name); };
    names.emplace_back(links[i].inContainer ? side.host.inside(attached.netns, look) : look(),
                       "<MAC " + std::to_string(i) + ">");
    if (links[i].name.starts_with("veth") || links[i].name.starts_with("pons"))
      names.emplace_back(links[i].name, nameOf(i));
  }
  side.host.inside(attached.netns, [&] {
    addRoutes(facts, "container");
    addLink(facts, "container lo", "lo");
    return 0;
  });
  addRoutes(facts, "host");
  addParameters(facts, "host", "net/ipv4/conf/all");
  addParameters(facts, "host", "net/ipv6/conf/all");
  for (const auto& [name, placeholder] : names) {
    if (!name.empty()) facts = renamed(facts, name, placeholder);
  }
  return facts;
}

Facts trafficOf(Side& side, const Conflist& list, const Attached& first, const Attached& second) {
  Facts facts;
  for (std::size_t i = 0; i < first.addresses.size(); ++i) {
    tryFamily(facts, side, list.declares("portMappings"), first, second, i);
  }
  return facts;
}

Visit visit(const std::string& plugins, const Conflist& list, const std::string& capabilities) {
  Side side{plugins};
  side.configure(list);
  prepare(list);
  writeFlannelEnv();
  const std::string before = side.host.dump();

  side.capabilities = capabilities;
  const Attached first = side.attach(list, "first");
  Visit seen{stateOf(side, first), {}};
  side.capabilities = {};
  const Attached second = side.attach(list, "second");
  seen.facts.merge(trafficOf(side, list, first, second));
  side.capabilities = capabilities;
  if (list.hasCheck()) seen.facts.insert("CHECK = " + failureOf(side.call("check", list, "first")));
  for (const char* container : {"first", "second", "first"}) {
    seen.facts.insert("DEL = " + failureOf(side.call("del", list, container)));
  }
  seen.left = differenceOf(before, side.host.dump());
  return seen;
}

}  // namespace support
