// What other programs, administrators and the death of containers do to the host.
#include "tests/property/commands.h"
#include "tests/support/text.h"

namespace property {
namespace {

using support::outputOf;

/// By a command that damages these facts.
Action byCommand(const std::vector<std::string>& argv, std::function<bool(const Model&)> isPossible,
                 std::function<void(Model&)> change) {
  std::string line;
  for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
  return {.line = line,
          .isPossible = std::move(isPossible),
          .change = std::move(change),
          .execute = [argv](const Model&, TestHost&) { outputOf(argv); }};
}

Action kill(const Model& model) {
  const unsigned container = pickFrom(alive(model));
  return {.line = "ip netns delete " + nameOf(container),
          .isPossible = [=](const Model& now) { return now.isAlive(container); },
          .change = [=](Model& now) { now.kill(container); },
          .execute = [=](const Model&, TestHost& host) { host.kill(container); }};
}

Action flushRuleset(const Model&) {
  return byCommand({"nft", "flush", "ruleset"}, always, [](Model& now) { now.flushRuleset(); });
}

Action deleteTable(const Model&) {
  const auto family = pickFrom<std::string>({"ip", "ip6", "bridge"});
  return byCommand(
      {"nft", "delete", "table", family, "pons"}, [=](const Model& now) { return now.isCertain("table " + family); },
      [=](Model& now) { now.deleteTable(family); });
}

Action deleteElement(const Model& model) {
  std::vector<std::string> elements;
  for (const auto& [fact, value] : model.expected()) {
    if (fact.starts_with("element ip") && model.isCertain(fact)) elements.push_back(fact);
  }
  const std::string element = pickFrom(elements);
  // "element ip forwards_any tcp . 8080"
  const std::size_t family = element.find(' ') + 1;
  const std::size_t set = element.find(' ', family) + 1;
  const std::size_t key = element.find(' ', set) + 1;
  const std::vector<std::string> argv{"nft",
                                      "delete",
                                      "element",
                                      element.substr(family, set - family - 1),
                                      "pons",
                                      element.substr(set, key - set - 1),
                                      "{ " + element.substr(key) + " }"};
  return byCommand(
      argv, [=](const Model& now) { return now.isCertain(element); },
      [=](Model& now) { now.damage([&](const std::string& fact) { return fact == element; }); });
}

Action forwardingOff(const Model&) {
  const auto family = pickFrom<std::string>({"ip", "ip6"});
  const std::string fact = "forwarding " + family;
  const std::string name = family == "ip" ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";
  return {.line = "echo 0 >/proc/sys/net/" + name,
          .isPossible = [=](const Model& now) { return now.isCertain(fact); },
          .change = [=](Model& now) { now.damage([&](const std::string& other) { return other == fact; }); },
          .execute = [=](const Model&, TestHost&) { support::setContent("/proc/sys/net/" + name, "0"); }};
}

Action deleteBridge(const Model&) {
  const auto bridge = pickFrom<std::string>({"ponsA", "ponsB"});
  return byCommand(
      {"ip", "link", "delete", bridge}, [=](const Model& now) { return now.isCertain("bridge " + bridge); },
      [=](Model& now) { now.deleteBridge(bridge); });
}

Action reloadFirewall(const Model&) {
  return {.line = "systemctl reload nftables",
          .isPossible = always,
          .change = [](Model& now) { now.reloadFirewall(); },
          .execute = [](const Model&, TestHost& host) { host.reloadFirewall(); }};
}

}  // namespace

std::vector<MakeAction> damages() {
  return {kill, flushRuleset, deleteTable, deleteElement, forwardingOff, deleteBridge, reloadFirewall};
}

}  // namespace property
