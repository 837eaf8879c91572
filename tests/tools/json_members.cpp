// The members of each command's JSON are those that ponsctl(8) lists.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "plugin/ctl/check.h"
#include "plugin/ctl/doctor.h"
#include "plugin/ctl/explain.h"
#include "plugin/ctl/gc.h"
#include "plugin/ctl/list.h"
#include "plugin/ctl/metrics.h"
#include "plugin/ctl/networks.h"
#include "plugin/ctl/policy.h"
#include "plugin/ctl/show.h"

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

/// Types by path, "attachments[].health": "string".
using Members = std::map<std::string, std::string>;

/// Of each command; a row "as" another object is replaced by that object's members.
std::map<std::string, Members> documented() {
  std::map<std::string, Members> commands;
  std::ifstream page{PONS_SOURCE_DIR "/scripts/man/ponsctl.8"};
  bool isIn = false;
  std::string command;
  for (std::string line; std::getline(page, line);) {
    std::istringstream words{line};
    std::string macro;
    words >> macro;
    if (macro == ".Sh") isIn = line == ".Sh JSON";
    if (!isIn) continue;
    if (macro == ".Ss") command = line.substr(4);
    if (macro != ".It") continue;
    std::string path;
    std::string type;
    std::string separator;
    words >> path >> separator >> type;
    if (type != "as") {
      commands[command][path] = type;
      continue;
    }
    std::string from;
    std::string of;
    std::string source;
    words >> separator >> from >> of >> std::ws;
    std::getline(words, source);
    const Members members = commands[source];
    for (const auto& [member, its] : members) {
      if (member.starts_with(from)) commands[command][path + member.substr(from.size())] = its;
    }
  }
  return commands;
}

std::string typeOf(const pons::json::Value& value) {
  if (value.string()) return "string";
  if (value.boolean()) return "boolean";
  return value.integer() ? "integer" : "other";
}

/// Adds the strings, numbers and booleans in the value. Objects that are documented as a whole are not looked into.
void addMembers(Members& members, const pons::json::Value& value, const std::string& path, const Members& documented) {
  const auto known = documented.find(path);
  if (known != documented.end() && known->second == "any") {
    members[path] = "any";
  } else if (value.isArray()) {
    for (const auto& item : value.items()) addMembers(members, item, path + "[]", documented);
  } else if (value.isObject() && known != documented.end() && known->second == "object") {
    members[path] = "object";
  } else if (value.isObject()) {
    for (const auto& [name, member] : value.members()) {
      addMembers(members, member, (path.empty() ? "" : path + ".") + std::string{name}, documented);
    }
  } else {
    members[path] = typeOf(value);
  }
}

std::string memberIn(const Members& members, const std::string& path) {
  const auto found = members.find(path);
  return found == members.end() ? "absent" : found->second;
}

/// One line for each member that is not as documented; `isComplete`: the documents have each of them.
std::string differences(const std::string& command, const std::vector<std::string>& documents, bool isComplete = true) {
  const Members expected = documented()[command];
  Members found;
  for (const std::string& text : documents) {
    const auto document = pons::json::Document::parse(text);
    REQUIRE_MESSAGE(document, text);
    addMembers(found, document->root(), "", expected);
  }
  std::set<std::string> paths;
  for (const auto& [path, type] : found) paths.insert(path);
  for (const auto& [path, type] : expected) {
    if (isComplete) paths.insert(path);
  }
  std::string lines;
  for (const std::string& path : paths) {
    const std::string is = memberIn(found, path);
    const std::string wanted = memberIn(expected, path);
    if (is != wanted) lines += command + ": " + path + " is " + is + ", in ponsctl(8) " + wanted + "\n";
  }
  return lines;
}

std::vector<AttachmentStatus> statuses() {
  auto all = allHealths();
  all.front().attachment->pod = "default/web-0";
  return all;
}

/// With every member: all of them are bad.
std::vector<AttachmentStatus> broken() {
  auto all = statuses();
  for (AttachmentStatus& status : all) status.health = Health::Broken;
  return all;
}

Shown shown() {
  netlib::link::Link link;
  link.name = "eth0";
  link.mac = netlib::MacAddress::parse("0a:58:0a:2a:00:07").value();
  Facts facts{.links = {{.name = "eth0", .where = "container", .link = link, .statistics = {}}},
              .addresses = {"10.42.0.7/24"},
              .routes = {{"0.0.0.0/0", "10.42.0.1", 0, 0}},
              .rules = {{"ip pons", "forwards_any", "tcp 8080 to 10.42.0.7 port 80", true}},
              .references = {{"bridge-pons0", 12}},
              .denied = netlib::nft::Counted{.packets = 17, .bytes = 3400}};
  return {statuses().front(), std::move(facts), {ip("10.42.0.1")}};
}

std::vector<Shown> allShown() {
  std::vector<Shown> all{shown()};
  for (const AttachmentStatus& status : statuses()) all.push_back({status, {}});
  return all;
}

std::vector<Finding> findings() {
  auto key = keyOf("c1");
  key.plugin = pons::ChainedPlugin::Portmap;
  const pons::Fault fault{"bridge pons0", "bridge-pons0/demo", pons::missing("bridge pons0")};
  return {{{key, fault, ""}, "default/web-0"}, {{key, fault, "Operation not permitted"}, ""}};
}

Orphans orphans() {
  const auto key = keyOf("c1");
  return {.deletes = true,
          .all = {{{"attachment", "eth0", "why", key.network, key.container}, "no", "default/web-0"}},
          .problems = {"a problem"},
          .others = {"/run/other"}};
}

std::vector<pons::Attachment> withPolicy() {
  pons::Attachment attachment = attachmentOf(keyOf("c1"), {});
  attachment.pod = "default/web-0";
  attachment.egress = pons::EgressPolicy{{prefix("192.0.2.0/24")}, {443}, {53}, {ip("192.0.2.53")}};
  return {std::move(attachment)};
}

std::string explainedJson(const std::string& text) { return explained(text, "demo.conflist", "/run/pons").json; }

}  // namespace

TEST_CASE("The JSON of each command has the members that ponsctl(8) lists, with these types") {
  const NetworkState network{.name = "demo",
                             .bridge = "pons0",
                             .ports = 3,
                             .attachments = 3,
                             .pools = {{"10.42.0.0/24", 253, 3}},
                             .ipam = "host-local",
                             .origin = "/etc/cni/net.d/1.conf"};
  CHECK(differences("list", {listJson(statuses())}) == "");
  CHECK(differences("networks", {networksJson({network})}) == "");
  CHECK(differences("show", {showJson(allShown())}) == "");
  CHECK(differences("check", {checkJson(broken())}) == "");
  CHECK(differences("repair", {repairJson(findings())}) == "");
  CHECK(differences("gc", {gcJson(orphans())}) == "");
  CHECK(differences("doctor", {doctorJson({{Severity::Fault, "kernel", "what", "remedy", {}, FindingId::ConfigInvalid},
                                           notChecked("firewall", "what", "why")})}) == "");
  CHECK(differences("policy", {policyJson(withPolicy())}) == "");
  CHECK(differences("metrics", {metricsJson({{"pons_x", "gauge", "X.", {{{{"network", "a"}}, 3}}}})}) == "");
  CHECK(differences("version", {tool({"version", "--json"}).out}) == "");
  CHECK(differences("explain key", {keysJson("")}) == "");
  const std::string head = R"({"cniVersion": "1.0.0", "name": "demo", "plugins": [{"type": "pons", )";
  CHECK(differences("explain file",
                    {explainedJson("{"), explainedJson(head + R"("ipMasq": 7}]})"),
                     explainedJson(R"({"cniVersion": "9.0.0", "name": "demo", "type": "pons"})"),
                     explainedJson(head + R"("brige": 1, "ipam": {"subnet": "10.42.0.0/24"}}], "ipMasq": 1})")}) == "");
}

TEST_CASE("On a host: the JSON of ponsctl probe has no other members than ponsctl(8) lists") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  demo.attach(host, "c1");
  CHECK(differences("probe", {tool({"probe", "c1", "--json", "--timeout", "0.3"}).out}, false) == "");
}
