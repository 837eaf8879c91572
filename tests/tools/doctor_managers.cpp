// ponsctl doctor: the files that keep NetworkManager, systemd-networkd and udev off the links of pons.
#include <filesystem>

#include <doctest/doctest.h>

#include "plugin/ctl/doctor_checks.h"

#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace pons::ctl;
using namespace support;
namespace fs = std::filesystem;

namespace {

struct Example {
  const char* sign;
  const char* file;
  const char* vendorDirectory;
  const char* ownDirectory;
  Severity severity;
};
const Example kExamples[]{
    {"run/NetworkManager", "10-pons.conf", "usr/lib/NetworkManager/conf.d", "etc/NetworkManager/conf.d",
     Severity::Warning},
    {"run/systemd/netif", "10-pons.network", "usr/lib/systemd/network", "etc/systemd/network", Severity::Note},
    {"run/udev", "10-pons.link", "usr/lib/systemd/network", "etc/systemd/network", Severity::Note},
};

std::string shipped(const Example& example) {
  return contentOf(PONS_SOURCE_DIR "/scripts/managers/" + std::string{example.file});
}

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  setContent(path, content);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// That of the one program that runs; the second result is about the others.
CheckResult resultIn(const Scratch& root, const std::set<std::string>& bridges) {
  CheckResults results;
  checkManagers(results, bridges, root.path());
  REQUIRE(results.size() == 2);
  CHECK(contains(results.back().what, "not running: "));
  return results.front();
}

}  // namespace

TEST_CASE("ponsctl doctor looks for the file of each program that runs, and only of those") {
  for (const Example& example : kExamples) {
    CAPTURE(example.file);
    const Scratch root;
    CheckResults none;
    checkManagers(none, {"pons0"}, root.path());
    REQUIRE(none.size() == 1);
    CHECK(none.front().severity == Severity::Fine);
    CHECK(contains(none.front().what, std::string{"(no /"} + example.sign + ")"));

    fs::create_directories(root / example.sign);
    const CheckResult missing = resultIn(root, {"pons0"});
    CHECK(missing.severity == example.severity);
    CHECK_MESSAGE(contains(missing.what, std::string{"there is no "} + example.file + " in /etc/"), missing.what);
    CHECK(contains(missing.remedy, "scripts/install"));

    write(root / (std::string{example.vendorDirectory} + "/" + example.file), shipped(example));
    const CheckResult present = resultIn(root, {"pons0", "pons-demo"});
    CHECK_MESSAGE(present.severity == Severity::Fine, present.what);
    CHECK_MESSAGE(contains(present.what, std::string{"/"} + example.vendorDirectory), present.what);
  }
}

TEST_CASE("ponsctl doctor names the bridges that the file does not mention") {
  for (const Example& example : kExamples) {
    CAPTURE(example.file);
    const Scratch root;
    const fs::path vendors = root / (std::string{example.vendorDirectory} + "/" + example.file);
    const fs::path own = root / (std::string{example.ownDirectory} + "/" + example.file);
    fs::create_directories(root / example.sign);
    write(vendors, shipped(example));
    const CheckResult two = resultIn(root, {"br-lan", "pons0", "web0"});
    CHECK(two.severity == Severity::Note);
    CHECK_MESSAGE(contains(two.what, "may manage br-lan, web0: "), two.what);
    CHECK_MESSAGE(contains(two.remedy, std::string{" to /"} + example.ownDirectory), two.remedy);

    // The administrator's file replaces it; a comment is none of its words.
    const bool isList = std::string_view{example.file}.ends_with(".conf");
    write(own, replaced(shipped(example), "pons*\n", isList ? "pons*;interface-name:=br-lan\n" : "pons* br-*\n") +
                   "\n# web0\n");
    const CheckResult one = resultIn(root, {"br-lan", "pons0", "web0"});
    CHECK_MESSAGE(contains(one.what, "may manage web0: "), one.what);
    CHECK_MESSAGE(contains(one.remedy, std::string{"add it to /"} + example.ownDirectory), one.remedy);
    CHECK(resultIn(root, {"br-lan", "pons0"}).severity == Severity::Fine);

    write(own, "[Match]\nName=br-lan web0\n");
    const CheckResult without = resultIn(root, {"br-lan", "web0"});
    CHECK(without.severity == example.severity);
    CHECK_MESSAGE(contains(without.what, "may manage pons*: "), without.what);
  }
}

TEST_CASE("ponsctl doctor tells that the administrator has masked the file") {
  for (const Example& example : kExamples) {
    CAPTURE(example.file);
    const Scratch root;
    fs::create_directories(root / example.sign);
    write(root / (std::string{example.vendorDirectory} + "/" + example.file), shipped(example));
    const fs::path own = root / (std::string{example.ownDirectory} + "/" + example.file);
    fs::create_directories(own.parent_path());
    fs::create_symlink("/dev/null", own);
    const CheckResult masked = resultIn(root, {"pons0"});
    CHECK(masked.severity == Severity::Note);
    CHECK_MESSAGE(contains(masked.what, std::string{example.ownDirectory} + "/" + example.file + " is empty"),
                  masked.what);
  }
}
