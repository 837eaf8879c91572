#include "tests/compat/facts.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "netlib/os/sysctl.h"

#include "plugin/json/json.h"

#include "tests/support/fake_host.h"

namespace support {
namespace {

// Numbers that the kernel gives as they come, and what changes by itself.
bool isPassing(const std::string& path) {
  static const std::regex passing{
      R"((.*\.)?(ifindex|link_index|link_netnsid|operstate|link|peer_ifindex|valid_life_time|preferred_life_time|)"
      R"(\w*_timer|topology_change\w*|gc_timer|bridge_id|root_id|designated_\w+|tso_max_\w+|state|no|id|port_id|)"
      R"(config_pending|message_age_timer|forward_delay_timer|hold_timer|numtxqueues|numrxqueues|master_idx))"};
  return std::regex_match(path, passing);
}

void addValue(Facts& facts, const std::string& subject, const std::string& path, pons::json::Value value) {
  if (isPassing(path)) return;
  const auto below = [&path](std::string_view name) {
    return path.empty() ? std::string{name} : path + "." + std::string{name};
  };
  if (value.isObject()) {
    for (const auto& [name, member] : value.members()) addValue(facts, subject, below(name), member);
  } else if (value.isArray()) {
    const auto items = value.items();
    for (std::size_t i = 0; i < items.size(); ++i) addValue(facts, subject, below(std::to_string(i)), items[i]);
  } else {
    facts.insert(subject + " " + path + " = " + (value.string() ? std::string{*value.string()} : value.text()));
  }
}

Facts without(const Facts& facts, const Facts& others) {
  Facts rest;
  std::ranges::set_difference(facts, others, std::inserter(rest, rest.end()));
  return rest;
}

}  // namespace

void addJson(Facts& facts, const std::string& subject, const std::string& text) {
  const auto document = pons::json::Document::parse(R"({"it": )" + text + "}");
  if (!document) throw std::runtime_error(subject + " is no JSON: " + text);
  addValue(facts, subject, "", (*document)["it"]);
}

void addLines(Facts& facts, const std::string& subject, const std::string& text) {
  std::istringstream lines{canonicalLines(text)};
  for (std::string line; std::getline(lines, line);) facts.insert(subject + " = " + line);
}

void addParameters(Facts& facts, const std::string& subject, const std::string& directory) {
  const auto names = netlib::sysctl::entries(directory);
  if (!names) throw std::runtime_error(names.error().message);
  for (const std::string& name : *names) {
    // Secrets and counters among them cannot be read or differ always.
    const auto value = netlib::sysctl::read(directory + "/" + name);
    if (value && name != "stable_secret") facts.insert(subject + " " + name + " = " + *value);
  }
}

Facts renamed(const Facts& facts, const std::string& from, const std::string& to) {
  Facts result;
  for (std::string fact : facts) {
    for (std::size_t at = 0; (at = fact.find(from, at)) != std::string::npos; at += to.size()) {
      fact.replace(at, from.size(), to);
    }
    result.insert(std::move(fact));
  }
  return result;
}

std::string unjustified(const Facts& reference, const Facts& ours, const std::vector<Justified>& justified) {
  std::string text;
  const auto report = [&](const std::string& difference) {
    const bool known = std::ranges::any_of(justified, [&](const Justified& justification) {
      return std::regex_match(difference, std::regex{justification.fact});
    });
    if (!known) text += difference + "\n";
  };
  for (const std::string& fact : without(reference, ours)) report("- " + fact);
  for (const std::string& fact : without(ours, reference)) report("+ " + fact);
  return text;
}

}  // namespace support
