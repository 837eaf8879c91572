// The manual pages have every option and command of the programs, and no others. Their keys: see scripts/keys.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

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

}  // namespace

TEST_CASE("ponsctl(8) has every option of the program") {
  const std::string page = contentOf(kSource / "scripts/man/ponsctl.8");
  Names options;
  for (const std::string& command : allMatches(page, "\n\\.It Nm Cm ([a-z-]+)")) {
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
  const Names known = allMatches(commands, "\n  ([a-z-]+) ");
  REQUIRE(known.contains("list"));
  const Names described = allMatches(page, "\n\\.It Nm Cm ([a-z-]+)");
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
