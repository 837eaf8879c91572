// The manual pages have every option, command and message of the programs, and no others. Their keys: see scripts/keys.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
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

/// What users read.
std::vector<fs::path> documents() {
  std::vector<fs::path> all{kSource / "README.md", kSource / "CONTRIBUTING.md", kSource / "SECURITY.md",
                            kSource / "scripts/kubernetes/README.md"};
  for (const fs::directory_entry& page : fs::directory_iterator{kSource / "scripts/man"}) all.push_back(page.path());
  return all;
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

TEST_CASE("each command of ponsctl in the documents exists, with its options") {
  std::map<std::string, std::string> helps;
  for (const fs::path& page : documents()) {
    const std::string text = std::regex_replace(contentOf(page), std::regex{R"(\\-|\n)"}, " ");
    const std::regex expression{R"(ponsctl ([a-z]+(?:-[a-z]+)*)((?: -{1,2}[a-z-]+)*))"};
    for (auto match = std::sregex_iterator{text.begin(), text.end(), expression}; match != std::sregex_iterator{};
         ++match) {
      const std::string command = (*match)[1];
      const std::string options = (*match)[2];
      CAPTURE(page);
      CAPTURE(match->str());
      if (!helps.contains(command)) {
        const Outcome outcome = run({PONSCTL_BINARY, command, "--help"});
        helps[command] = outcome.ok() ? outcome.out : "";
      }
      CHECK(helps[command] != "");
      for (const std::string& option : allMatches(options, "--([a-z-]+)")) {
        CHECK_MESSAGE(helps[command].find("--" + option) != std::string::npos, option);
      }
    }
  }
  CHECK(helps.size() > 8);
}

TEST_CASE("links between the documents are valid") {
  std::size_t checked = 0;
  for (const fs::path& page : documents()) {
    if (page.extension() != ".md") continue;
    for (const std::string& link : allMatches(contentOf(page), R"(\]\(([^)#:]+)[)#])")) {
      CHECK_MESSAGE(fs::exists(page.parent_path() / link), page << ": " << link);
      ++checked;
    }
  }
  CHECK(checked > 10);
}

TEST_CASE("each symptom of pons-troubleshooting(7) that is a message of pons is one") {
  std::string sources;
  for (const char* directory : {"netlib", "plugin"}) {
    for (const fs::directory_entry& file : fs::recursive_directory_iterator{kSource / directory}) {
      if (file.path().extension() == ".cpp" || file.path().extension() == ".h") sources += contentOf(file.path());
    }
  }
  sources = std::regex_replace(sources, std::regex{R"("\s*\n\s*")"}, "");  // one literal in two lines
  sources = std::regex_replace(sources, std::regex{R"(\\")"}, "\"");
  const std::string page = contentOf(kSource / "scripts/man/pons-troubleshooting.7");
  const std::size_t end = page.find(".Sh MESSAGES OF RUNTIMES");
  REQUIRE(end != std::string::npos);
  std::size_t checked = 0;
  for (std::string symptom : allMatches(page.substr(0, end), "\n\\.Ss ([^\n]*)")) {
    symptom = std::regex_replace(symptom, std::regex{R"(\\\(dq)"}, "\"");
    // "..." and capitals stand for what differs; \& is where a message is put together.
    std::istringstream parts{std::regex_replace(symptom, std::regex{R"(\s*(\.\.\.|\\&|\b[A-Z]+\b)\s*)"}, "\n")};
    for (std::string part; std::getline(parts, part);) {
      if (part.size() < 3) continue;
      CHECK_MESSAGE(sources.find(part) != std::string::npos, symptom << ": " << part);
      ++checked;
    }
  }
  CHECK(checked > 20);
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
