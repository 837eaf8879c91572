// The text of a host's state; what the fake host's dump() consists of.
#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <regex>
#include <sstream>

#include "netlib/os/sysctl.h"

#include "tests/support/fake_host.h"
#include "tests/support/text.h"

namespace support {
namespace {

namespace fs = std::filesystem;

// What changes by itself, and what takes its place.
const std::vector<std::pair<std::regex, const char*>>& passingThings() {
  static const std::vector<std::pair<std::regex, const char*>> things = {
      {std::regex{R"(^\d+: )"}, ""},                             // interface number
      {std::regex{R"(@if\d+)"}, "@if"},                          // the peer's number
      {std::regex{R"(link-netnsid \d+)"}, "link-netnsid"},       //
      {std::regex{R"(NO-CARRIER,|,LOWER_UP|,M-DOWN)"}, ""},      // carrier comes when it comes
      {std::regex{R"( state [A-Za-z]+)"}, ""},                   // operational state and bridge port state, likewise
      {std::regex{R"( (linkdown|tentative|dadfailed)\b)"}, ""},  //
      {std::regex{R"(\b(\w*_timer|topology_change\w*) +[\d.]+)"}, ""},
      {std::regex{R"(\b\d+sec\b)"}, "some"},  // lifetimes
      {std::regex{R"( refcnt \d+)"}, ""},     //
      // A bridge takes them from its ports, and keeps them when the last one goes.
      {std::regex{R"( tso_max_(size|segs) \d+)"}, ""},
      {std::regex{R"( +)"}, " "},
  };
  return things;
}

// The kernel adds these on its own, some time after the carrier.
bool comesByItself(const std::string& line) {
  static const std::regex linkLocal{R"(\b(fe80:|ff00::/8))"};
  return std::regex_search(line, linkLocal);
}

std::string withoutPassingThings(std::string line) {
  for (const auto& [pattern, replacement] : passingThings()) line = std::regex_replace(line, pattern, replacement);
  return line;
}

std::string section(const std::string& title, const std::string& text) { return "== " + title + "\n" + text; }

// A parameter that this kernel does not have is part of the state, too.
std::string parameter(const std::string& name) {
  const auto value = netlib::sysctl::read(name);
  return name + " = " + (value.ok() ? value.value() : "absent") + "\n";
}

std::string interfaceParameters(const std::string& conf, std::initializer_list<const char*> keys) {
  std::string text;
  const auto interfaces = netlib::sysctl::entries(conf);
  if (!interfaces.ok()) return conf + " absent\n";
  for (const std::string& interface : interfaces.value()) {
    for (const char* key : keys) text += parameter(conf + "/" + interface + "/" + key);
  }
  return text;
}

std::string parameters() {
  return parameter("net/ipv4/ip_forward") + parameter("net/bridge/bridge-nf-call-iptables") +
         parameter("net/bridge/bridge-nf-call-ip6tables") +
         interfaceParameters("net/ipv4/conf", {"forwarding", "route_localnet", "accept_redirects", "rp_filter"}) +
         interfaceParameters("net/ipv6/conf", {"forwarding", "accept_ra", "disable_ipv6"});
}

std::string describe(const fs::path& path) {
  const fs::file_status status = fs::symlink_status(path);
  std::ostringstream text;
  text << std::oct << static_cast<unsigned>(status.permissions()) << " " << path.string();
  if (fs::is_symlink(status)) text << " -> " << fs::read_symlink(path).string();
  if (fs::is_regular_file(status)) text << "\n" << contentOf(path);
  text << "\n";
  return text.str();
}

}  // namespace

std::string canonicalLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    if (!comesByItself(line)) lines.push_back(withoutPassingThings(line));
  }
  std::ranges::sort(lines);
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

std::string dumpNetwork() {
  return section("links", canonicalLines(outputOf({"ip", "-d", "-o", "link"}))) +
         section("addresses", canonicalLines(outputOf({"ip", "-o", "addr"}))) +
         section("routes", canonicalLines(outputOf({"ip", "-4", "route", "show", "table", "all"}))) +
         // Without those of the subnet-router anycast address, which the kernel adds some time after forwarding is on.
         section("routes of IPv6",
                 canonicalLines(outputOf({"sh", "-c", "ip -6 route show table all | grep -v ^anycast || :"}))) +
         section("rules", outputOf({"ip", "-4", "rule"}) + outputOf({"ip", "-6", "rule"})) +
         section("qdiscs", canonicalLines(outputOf({"tc", "qdisc"}))) + section("parameters", parameters()) +
         section("nf_tables", outputOf({"nft", "-s", "list", "ruleset"}));
}

std::string dumpTree(const fs::path& directory) {
  if (!fs::exists(directory)) return {};
  std::vector<fs::path> paths{directory};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{directory}) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::string text;
  for (const fs::path& path : paths) text += describe(path);
  return text;
}

}  // namespace support
