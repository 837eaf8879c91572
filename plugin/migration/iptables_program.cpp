#include "plugin/migration/iptables_program.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "netlib/filter/iptables.h"

namespace pons {

namespace {

using netlib::Family;
using netlib::Program;

const std::string kSecondsForLock = "10";
const Program::Options kOptions{
    .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, .input = {}, .timeout = std::chrono::seconds{30}};

/// The program of that backend by its own name, or the one that is the only one installed.
netlib::Result<Program> find(Family family, Iptables::Backend backend, const std::string& suffix) {
  static const std::array<std::string, 4> directories{"/usr/sbin", "/sbin", "/usr/bin", "/bin"};
  const std::string base = family == Family::Ipv4 ? "iptables" : "ip6tables";
  const std::string own = base + (backend == Iptables::Backend::Nft ? "-nft" : "-legacy") + suffix;
  auto program = Program::find(directories, own);
  return program.failedWith(ENOENT) ? Program::find(directories, base + suffix) : std::move(program);
}

std::string wordsOf(const netlib::Outcome& outcome) {
  const std::string& text = outcome.errors.empty() ? outcome.output : outcome.errors;
  return text.substr(0, text.find('\n'));
}

/// iptables-nft 1.8.9 calls a chain that is not there "incompatible", as it calls one that it cannot print.
bool saysNoSuch(const netlib::Outcome& outcome) {
  return outcome.status == 1 && outcome.errors.find("No chain/target/match by that name") != std::string::npos;
}

}  // namespace

std::string_view IptablesRule::option(std::string_view name) const {
  const auto found = std::ranges::find(words, name);
  if (found == words.end() || found + 1 == words.end()) return {};
  const bool negated = found != words.begin() && *(found - 1) == "!";
  return negated ? std::string_view{} : *(found + 1);
}

netlib::Result<IptablesRule> parseIptablesRule(const std::string& line, const std::string& chain) {
  IptablesRule rule{line, netlib::iptables::wordsOf(line)};
  const bool whole = rule.words.size() >= 2 && rule.words[0] == "-A" && rule.words[1] == chain;
  if (!whole) return netlib::fail(EBADMSG, "iptables lists what is no rule of chain " + chain + ": " + line);
  return rule;
}

std::string deletionOf(const IptablesRule& rule) { return "-D" + rule.line.substr(2); }

netlib::Result<Iptables> Iptables::open(Family family, Backend backend) {
  auto list = TRY(find(family, backend, ""));
  auto restore = TRY(find(family, backend, "-restore"));
  return Iptables{std::move(list), std::move(restore)};
}

netlib::Result<std::optional<std::vector<IptablesRule>>> Iptables::rulesOf(const std::string& table,
                                                                           const std::string& chain) const {
  const auto outcome = TRY(list_.run({"-w", kSecondsForLock, "-t", table, "-S", chain}, kOptions));
  if (saysNoSuch(outcome)) return std::optional<std::vector<IptablesRule>>{};
  if (outcome.status != 0) {
    return netlib::fail(EIO, list_.path() + " -t " + table + " -S " + chain + ": " + wordsOf(outcome));
  }
  std::vector<IptablesRule> rules;
  std::istringstream lines{outcome.output};
  for (std::string line; std::getline(lines, line);) {
    // The chain itself: its name, or its policy.
    if (line.starts_with("-N ") || line.starts_with("-P ")) continue;
    rules.push_back(TRY(parseIptablesRule(line, chain)));
  }
  return std::optional{std::move(rules)};
}

netlib::Result<> Iptables::change(const std::string& table, const std::vector<std::string>& commands) const {
  if (commands.empty()) return {};
  Program::Options options = kOptions;
  options.input = "*" + table + "\n";
  for (const std::string& command : commands) options.input += command + "\n";
  options.input += "COMMIT\n";
  const auto outcome = TRY(restore_.run({"--noflush", "-w", kSecondsForLock}, options));
  if (outcome.status != 0) return netlib::fail(EIO, restore_.path() + " of table " + table + ": " + wordsOf(outcome));
  return {};
}

}  // namespace pons
