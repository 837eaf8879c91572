#include "netlib/filter/iptables.h"

#include <algorithm>
#include <chrono>

#include <fcntl.h>

#include "netlib/os/directory.h"
#include "netlib/os/file.h"
#include "netlib/os/program.h"

namespace netlib::iptables {

namespace {

constexpr std::chrono::seconds kPatience{20};  // the others' commands hold the lock of x_tables for moments
constexpr std::size_t kMaxNames = 4096;

std::string programOf(Family family) { return family == Family::Ipv4 ? "iptables-legacy" : "ip6tables-legacy"; }

Result<std::string> outputOf(std::span<const std::string> directories, const std::string& name,
                             const std::vector<std::string>& arguments, const std::string& input) {
  const Program program = TRY(Program::find(directories, name));
  Outcome outcome = TRY(program.run(arguments, {.environment = {"LC_ALL=C"}, .input = input, .timeout = kPatience}));
  if (outcome.status == 0) return std::move(outcome.output);
  while (outcome.errors.ends_with('\n')) outcome.errors.pop_back();
  return fail(EIO, program.path() + " failed (" + std::to_string(outcome.status) + "): " + outcome.errors);
}

/// "-j" or "-g" with what comes after it.
void decide(filter::Rule& rule, const std::string& how, const std::string& target, const FilterTable& table) {
  using filter::Verdict;
  if (target == "ACCEPT") {
    rule.verdict = Verdict::Accept;
  } else if (target == "DROP" || target == "REJECT") {
    rule.verdict = Verdict::Drop;
  } else if (target == "RETURN") {
    rule.verdict = Verdict::Return;
  } else if (table.chains.contains(target)) {  // the others (LOG, MARK) let the packet go on
    rule.verdict = how == "-g" ? Verdict::Goto : Verdict::Jump;
    rule.target = target;
  }
}

/// From the words behind "-A CHAIN".
filter::Rule ruleOf(std::span<const std::string> words, const FilterTable& table) {
  filter::Rule rule;
  while (words.size() >= 2) {
    if (words[0] == "-j" || words[0] == "-g") {
      decide(rule, words[0], words[1], table);
      break;
    }
    const bool meansNothing = words[0] == "--comment" || (words[0] == "-m" && words[1] == "comment");
    if (words[0] == "--comment") rule.comment = words[1];
    if (!meansNothing) rule.conditional = true;
    words = words.subspan(meansNothing ? 2 : 1);
  }
  return rule;
}

void take(std::string_view line, FilterTable& table) {
  const auto words = wordsOf(line);
  if (words.size() < 2) return;
  auto& chain = table.chains[words[1]];
  if (words[0] == "-P" && words[1] == "FORWARD") table.forwardPolicyDrops = words.back() == "DROP";
  if (words[0] == "-A") chain.push_back({std::string{line}, ruleOf(std::span{words}.subspan(2), table)});
}

}  // namespace

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

Result<bool> hasFilterTable(Family family) {
  const std::string names =
      std::string{"/proc/thread-self/net/"} + (family == Family::Ipv4 ? "ip_tables_names" : "ip6_tables_names");
  const UniqueFd file{open(names.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return false;  // a kernel without x_tables
  if (!file) return failErrno("cannot open " + names);
  const std::string content = "\n" + TRY(readAll(file.get(), kMaxNames, names));
  return content.find("\nfilter\n") != std::string::npos;
}

FilterTable parseFilterTable(std::string_view text) {
  FilterTable table;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end), table);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return table;
}

Result<FilterTable> readFilterTable(Family family, std::span<const std::string> directories) {
  return parseFilterTable(TRY(outputOf(directories, programOf(family), {"-w", "-S"}, "")));
}

Result<> change(Family family, std::span<const std::string> directories, const std::vector<std::string>& commands) {
  std::string input = "*filter\n";
  for (const std::string& command : commands) input += command + "\n";
  input += "COMMIT\n";
  TRY(outputOf(directories, programOf(family) + "-restore", {"-w", "--noflush"}, input));
  return {};
}

}  // namespace netlib::iptables
