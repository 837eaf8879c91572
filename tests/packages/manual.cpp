// The manual pages have every key, option and command of the programs, and no others.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/process.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

using Names = std::set<std::string>;

const fs::path kSource = PONS_SOURCE_DIR;

std::string contentOf(const fs::path& path) {
  std::ifstream file{path};
  REQUIRE_MESSAGE(file, path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// What the first group of the pattern matches.
Names allMatches(const std::string& text, const std::string& pattern) {
  const std::regex expression{pattern};
  Names found;
  for (auto match = std::sregex_iterator{text.begin(), text.end(), expression}; match != std::sregex_iterator{};
       ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

std::string join(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

Names without(const Names& all, const Names& some) {
  Names rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
  return rest;
}

/// Keys of results and errors, not of configurations.
const Names kFilesWithoutKeys{"prev_result.cpp", "result.cpp", "error.cpp", "version.cpp"};
/// Keys that libcni writes.
const Names kEnvelope{"runtimeConfig", "args", "cni", "prevResult"};

/// Every key that a parser reads from a Field.
Names keysOfTheParser() {
  Names keys;
  for (const fs::directory_entry& file : fs::recursive_directory_iterator{kSource / "plugin/cni"}) {
    if (file.path().extension() != ".cpp" || kFilesWithoutKeys.contains(file.path().filename())) continue;
    keys.merge(allMatches(contentOf(file.path()), R"re(\["([A-Za-z0-9./-]+)"\])re"));
  }
  // Those that are no literal where they are read.
  keys.merge(Names{"nameservers", "search", "servers", "searches", "shapedSubnets", "unshapedSubnets"});
  return without(keys, kEnvelope);
}

/// The words that a page marks with a macro, without the prefix "ipam." or "args.".
Names wordsMarked(const std::string& page, const std::string& macro) {
  Names words;
  std::istringstream lines{contentOf(kSource / "scripts/man" / page)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(macro + " ");
    if (!line.starts_with(".") || at == std::string::npos) continue;
    std::istringstream rest{line.substr(at + macro.size())};
    for (std::string word; rest >> word && word != "No" && word != "Ta";) {
      if (!std::isalpha(static_cast<unsigned char>(word.front()))) continue;
      const bool isPath = word.starts_with("ipam.") || word.starts_with("args.");
      words.insert(isPath ? word.substr(5) : word);
    }
  }
  return words;
}

}  // namespace

TEST_CASE("pons.conf(5) has every key that the parser reads, and no other") {
  const Names known = keysOfTheParser();
  REQUIRE(known.contains("ipMasqExclude"));
  const Names explained = wordsMarked("pons.conf.5", "Cm");
  CHECK_MESSAGE(without(known, explained).empty(), "not in the page: " << join(without(known, explained)));
  // The page also marks the names of the applets, and keys that are read in another way.
  const Names others{",",        "cni",       "bridge", "host-local", "static",       "loopback",     "portmap",
                     "firewall", "bandwidth", "tuning", "plugins",    "capabilities", "runtimeConfig"};
  const Names invented = without(without(explained, known), others);
  CHECK_MESSAGE(invented.empty(), "not read by a parser: " << join(invented));
}

TEST_CASE("pons.conf(5) has every key of README.md") {
  const std::string readme = contentOf(kSource / "README.md");
  const std::size_t begin = readme.find("## Configuration keys");
  const std::size_t end = readme.find("\n## ", begin + 1);
  REQUIRE(end != std::string::npos);
  Names listed;
  std::istringstream lines{readme.substr(begin, end - begin)};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    listed.merge(allMatches(line.substr(0, line.find('|', 1)), R"(`(?:ipam\.)?([A-Za-z]+)`)"));
  }
  const Names missing = without(listed, wordsMarked("pons.conf.5", "Cm"));
  CHECK_MESSAGE(missing.empty(), join(missing));
}

TEST_CASE("ponsctl(8) has every option of the program") {
  const std::string page = contentOf(kSource / "scripts/man/ponsctl.8");
  Names options;
  for (const std::string& command : allMatches(page, "\n\\.It Nm Cm ([a-z]+)")) {
    const Outcome help = run({PONSCTL_BINARY, command, "--help"});
    options.merge(allMatches(help.out, "--([a-z-]+)"));
  }
  REQUIRE(options.contains("dry-run"));
  const Names missing = without(options, allMatches(page, "Fl (?:h , )?-([a-z-]+)"));
  CHECK_MESSAGE(missing.empty(), join(missing));
}

TEST_CASE("ponsctl(8) has every command of the program, and no others") {
  const std::string page = contentOf(kSource / "scripts/man/ponsctl.8");
  const Outcome help = run({PONSCTL_BINARY, "--help"});
  const std::string commands = help.out.substr(help.out.find("Commands:"));
  const Names known = allMatches(commands, "\n  ([a-z]+) ");
  REQUIRE(known.contains("list"));
  const Names described = allMatches(page, "\n\\.It Nm Cm ([a-z]+)");
  CHECK(join(without(known, described)) == "");
  CHECK(join(without(described, known)) == "");
  CHECK(help.out.find("--version") != std::string::npos);
  CHECK(page.find("Fl -version") != std::string::npos);
}

TEST_CASE("mandoc -T lint has no warning") {
  if (!fs::exists("/usr/bin/mandoc")) return FakeHost::countSkip("needs mandoc, which scripts/setup installs");
  for (const fs::directory_entry& page : fs::directory_iterator{kSource / "scripts/man"}) {
    const Outcome outcome = run({"mandoc", "-T", "lint", "-W", "warning", page.path()});
    CHECK_MESSAGE(outcome.ok(), outcome.out);
  }
}

TEST_CASE("cross-references between the pages are valid") {
  Names pages;
  std::string all;
  for (const fs::directory_entry& page : fs::directory_iterator{kSource / "scripts/man"}) {
    pages.insert(page.path().filename());
    all += contentOf(page.path());
  }
  for (const std::string& name : allMatches(all, "\\.Xr (pons[a-z.-]* [0-9])")) {
    std::string file = name;
    std::ranges::replace(file, ' ', '.');
    CHECK_MESSAGE(pages.contains(file), name);
  }
}
