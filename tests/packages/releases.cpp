// The tarball with its bill of materials, and the RPM. That scripts/package makes the same bytes elsewhere is tested by
// scripts/test (PONS_TEST_LONG).
#include <sstream>

#include <doctest/doctest.h>

#include "tests/packages/debian.h"
#include "tests/packages/paths.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPlugin = "libexec/cni/pons";
constexpr const char* kDatabase = "--dbpath=/var/lib/pons-test-rpm";
constexpr const char* kAttachment = "/run/pons/networks/demo/attachments/c1:eth0.json";

/// Runs that program of scripts/packaging.
void pack(const std::string& kind, const fs::path& directory) {
  mustRun({"env", "SOURCE_DATE_EPOCH=1700000000", PONS_SOURCE_DIR "/scripts/packaging/" + kind,
           fs::path{PONS_BINARY}.parent_path(), directory});
}

/// Made by the program of that kind, at the first call.
fs::path packed(const std::string& kind, const std::string& extension) {
  static const Scratch scratch;
  const fs::path directory = scratch / kind;
  if (!fs::exists(directory)) pack(kind, directory);
  for (const fs::directory_entry& entry : fs::directory_iterator{directory}) {
    if (entry.path().string().ends_with(extension)) return entry.path();
  }
  FAIL("scripts/packaging/" << kind << " did not make *" << extension);
  return {};
}

/// The only directory in the unpacked tarball.
fs::path unpackedIn(const Scratch& scratch) {
  outputOf({"tar", "--extract", "--file", packed("tarball", ".tar.gz"), "--directory", scratch.path()});
  const std::string name = packed("tarball", ".tar.gz").filename().string();
  return scratch / name.substr(0, name.size() - std::string{".tar.gz"}.size());
}

/// As the package of a distribution with RPM, on this Debian, which has its own database and no packages of RPM.
std::vector<std::string> rpm(const FakeRoot& root, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"rpm", "--root", root / "/", kDatabase};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

bool hasRpm() {
  if (fs::exists("/usr/bin/rpmbuild")) return true;
  FakeHost::countSkip("needs rpm, which scripts/package installs");
  return false;
}

Paths linesOf(const std::string& text) {
  Paths lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

std::string addressIn(const std::string& text) {
  const std::size_t at = text.find('@');
  REQUIRE(at != std::string::npos);
  const std::size_t begin = text.find_last_of(" <", at) + 1;
  return text.substr(begin, text.find_first_of(" ,>", at) - begin);
}

}  // namespace

TEST_CASE("packages, changelog and SECURITY.md have the maintainers' address of scripts/packaging/addresses") {
  const fs::path source = PONS_SOURCE_DIR;
  const std::string address = addressIn(contentOf(source / "scripts/packaging/addresses"));
  CHECK(addressIn(contentOf(source / "SECURITY.md")) == address);
  CHECK(addressIn(contentOf(source / "scripts/debian/changelog")) == address);
  CHECK(addressIn(outputOf({"dpkg-deb", "--field", packageOf("pons"), "Maintainer"})) == address);
  if (hasRpm())
    CHECK(addressIn(outputOf({"rpm", "--query", "--queryformat", "%{PACKAGER}", "--package", packed("rpm", ".rpm")})) ==
          address);
}

TEST_CASE("the tarball has the files of cmake --install for /usr/local") {
  const Scratch scratch;
  const fs::path unpacked = unpackedIn(scratch);
  const fs::path installed = installedIn(scratch, "/usr/local");
  CHECK(differences(filesIn(unpacked), filesIn(installed)) == "");
  for (const char* file : {"lib/systemd/system/pons-watch.service", "share/man/man8/pons.8.gz", "share/pons/install"}) {
    CHECK(contentOf(unpacked / file) == contentOf(installed / file));
    CHECK(fs::status(unpacked / file).permissions() == fs::status(installed / file).permissions());
  }
  CHECK(outputOf({unpacked / "sbin/ponsctl", "version"}) == outputOf({PONSCTL_BINARY, "version"}));
}

TEST_CASE("tarball and bill of materials are reproducible") {
  const Scratch scratch;
  pack("tarball", scratch.path());
  for (const char* extension : {".tar.gz", ".spdx.json"}) {
    const fs::path first = packed("tarball", extension);
    CHECK(contentOf(first) == contentOf(scratch / first.filename().string()));
  }
}

TEST_CASE("the bill of materials is SPDX 2.3, with the files of the tarball and the versions of the libraries") {
  const Scratch scratch;
  const fs::path document = packed("tarball", ".spdx.json");
  const Outcome outcome =
      run({"python3", PONS_SOURCE_DIR "/tests/packages/spdx.py", document, unpackedIn(scratch).string()});
  CHECK_MESSAGE(outcome.ok(), outcome.out << outcome.err);
  const std::string libraries =
      outputOf({"jq", "--raw-output", R"jq(.packages[] | "\(.name) \(.versionInfo) \(.licenseDeclared)")jq", document});
  const std::string version = outputOf({"dpkg-query", "--show", "--showformat", "${Version}", "libnftnl-dev"});
  CHECK_MESSAGE(contains(libraries, "libnftnl-dev " + version + " GPL-2.0-or-later\n"), libraries);
  for (const char* library : {"libc6-dev ", "libmd-dev ", "libmnl-dev ", "rapidjson-dev ", "libspdlog-dev ",
                              "libfmt-dev ", "libcli11-dev ", "libstdc++-", "libgcc-"}) {
    CHECK_MESSAGE(contains(libraries, library), library);
  }
}

TEST_CASE("the RPM has the files of cmake --install, with Fedora's plugin directory, and is removed without a trace") {
  if (!hasRpm()) return;
  inFakeRoot([](const FakeRoot& root) {
    const Scratch scratch;
    Paths expected;
    for (const std::string& file : filesIn(installedIn(scratch, "/usr"))) {
      expected.insert("/usr/" + (file == "lib/cni/pons" ? kPlugin : file));
    }
    outputOf(rpm(root, {"--install", "--nodeps", packed("rpm", ".rpm")}));
    Paths listed = linesOf(outputOf(rpm(root, {"--query", "--list", "pons"})));
    std::erase_if(listed, [&](const std::string& path) { return fs::is_directory(fs::symlink_status(root / path)); });
    CHECK(differences(listed, expected) == "");
    const std::string enabled = "/etc/systemd/system/multi-user.target.wants/pons-watch.service";
    expected.insert(enabled);
    CHECK(differences(linesOf(root.changed()), expected) == "");
    CHECK(fs::is_symlink(root / enabled));
    CHECK(outputOf(rpm(root, {"--verify", "--nodeps", "pons"})).empty());
    CHECK(versionsOf(root, std::string{"/usr/"} + kPlugin).find(R"("1.1.0")") != std::string::npos);
    CHECK(versionsOf(root, "pons") == versionsOf(root, std::string{"/usr/"} + kPlugin));

    outputOf(rpm(root, {"--erase", "pons"}));
    CHECK(root.changed().empty());
    CHECK_FALSE(fs::exists(root / "/usr/libexec/cni"));
    CHECK_FALSE(fs::exists(root / "/usr/share/doc/pons"));
  });
}

TEST_CASE("the RPM leaves a disabled service disabled, and warns if it is removed while attachments are on record") {
  if (!hasRpm()) return;
  inFakeRoot([](const FakeRoot& root) {
    outputOf(rpm(root, {"--install", "--nodeps", packed("rpm", ".rpm")}));
    root.outputOf({"systemctl", "disable", "pons-watch.service"});
    outputOf(rpm(root, {"--upgrade", "--nodeps", "--replacepkgs", packed("rpm", ".rpm")}));
    CHECK_FALSE(fs::is_symlink(root / "/etc/systemd/system/multi-user.target.wants/pons-watch.service"));

    fs::create_directories((root / kAttachment).parent_path());
    setContent(root / kAttachment, "{}");
    const Outcome erased = run(rpm(root, {"--erase", "pons"}));
    CHECK(erased.ok());
    CHECK_MESSAGE(contains(erased.out + erased.err, "attachments still on record in /run/pons: 1"), erased.err);
  });
}
