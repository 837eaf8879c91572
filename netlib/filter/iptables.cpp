#include "netlib/filter/iptables.h"

#include <algorithm>
#include <array>

#include <fcntl.h>

#include "netlib/base/text.h"
#include "netlib/os/file.h"

namespace netlib::iptables {

namespace {

const Program::Options kOptions{.environment = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                                .input = {},
                                .timeout = std::chrono::seconds{20}};
constexpr const char* kLockSeconds = "10";

Result<Program> find(Family family, Backend backend, Fallback fallback, const std::string& suffix) {
  static const std::array<std::string, 4> directories{"/usr/sbin", "/sbin", "/usr/bin", "/bin"};
  const std::string base = family == Family::Ipv4 ? "iptables" : "ip6tables";
  auto program = Program::find(directories, base + (backend == Backend::Nft ? "-nft" : "-legacy") + suffix);
  const bool fallsBack = fallback == Fallback::Plain && program.failedWith(Cause::Missing);
  return fallsBack ? Program::find(directories, base + suffix) : std::move(program);
}

Error errorOf(const Program& program, const std::string& what, const Outcome& outcome) {
  const std::string& text = outcome.errors.empty() ? outcome.output : outcome.errors;
  return {Cause::Program, 0,
          program.path() + " " + what + " failed (" + std::to_string(outcome.status) +
              "): " + text.substr(0, text.find('\n'))};
}

/// iptables-nft 1.8.9 reports a missing chain as "incompatible", as it does for a chain that it cannot print.
bool isNoSuchChain(const Outcome& outcome) {
  return outcome.status == 1 && outcome.errors.find("No chain/target/match by that name") != std::string::npos;
}

/// Words separated by spaces. Quotes and backslashes as iptables writes them (xtables_save_string()).
std::vector<std::string> wordsOf(std::string_view line) {
  std::vector<std::string> words;
  bool inWord = false;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!quoted && line[i] == ' ') {
      inWord = false;
      continue;
    }
    if (!inWord) words.emplace_back();
    inWord = true;
    if (line[i] == '"') {
      quoted = !quoted;
    } else {
      if (line[i] == '\\' && i + 1 < line.size()) ++i;
      words.back() += line[i];
    }
  }
  return words;
}

}  // namespace

std::string_view Rule::option(std::string_view name) const {
  const auto found = std::ranges::find(words, name);
  if (found == words.end() || found + 1 == words.end()) return {};
  const bool negated = found != words.begin() && *(found - 1) == "!";
  return negated ? std::string_view{} : *(found + 1);
}

Result<Rule> parseRule(const std::string& line, const std::string& chain) {
  Rule rule{line, wordsOf(line)};
  const bool isRule = rule.words.size() >= 2 && rule.words[0] == "-A" && rule.words[1] == chain;
  if (!isRule) return fail(Cause::Damaged, "unexpected line in \"iptables -S " + chain + "\": " + line);
  return rule;
}

Result<std::vector<std::string>> tableNames(Family family) {
  constexpr std::size_t kMaxBytes = 4096;
  const std::string path =
      std::string{"/proc/thread-self/net/"} + (family == Family::Ipv4 ? "ip_tables_names" : "ip6_tables_names");
  const UniqueFd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return std::vector<std::string>{};
  if (!file) return failErrno("cannot open " + path);
  const std::string content = TRY(readAll(file.get(), kMaxBytes, path));
  std::vector<std::string> names;
  for (const std::string_view name : split(content, '\n')) {
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

Result<Iptables> Iptables::open(Family family, Backend backend, Fallback fallback) {
  auto list = TRY(find(family, backend, fallback, ""));
  auto restore = TRY(find(family, backend, fallback, "-restore"));
  return Iptables{std::move(list), std::move(restore)};
}

Result<std::optional<std::vector<Rule>>> Iptables::rulesOf(const std::string& table, const std::string& chain) const {
  const auto outcome = TRY(list_.run({"-w", kLockSeconds, "-t", table, "-S", chain}, kOptions));
  if (isNoSuchChain(outcome)) return std::optional<std::vector<Rule>>{};
  if (outcome.status != 0) return fail(errorOf(list_, "-t " + table + " -S " + chain, outcome));
  std::vector<Rule> rules;
  for (const std::string_view line : split(outcome.output, '\n')) {
    // The chain itself: its name, or its policy.
    if (line.empty() || line.starts_with("-N ") || line.starts_with("-P ")) continue;
    rules.push_back(TRY(parseRule(std::string{line}, chain)));
  }
  return std::optional{std::move(rules)};
}

Result<> Iptables::change(const std::string& table, const std::vector<std::string>& commands) const {
  if (commands.empty()) return {};
  Program::Options options = kOptions;
  options.input = "*" + table + "\n";
  for (const std::string& command : commands) options.input += command + "\n";
  options.input += "COMMIT\n";
  const auto outcome = TRY(restore_.run({"-w", kLockSeconds, "--noflush"}, options));
  if (outcome.status != 0) return fail(errorOf(restore_, "of table " + table, outcome));
  return {};
}

}  // namespace netlib::iptables
