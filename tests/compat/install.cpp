// scripts/install, on a directory of its own.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/support/fake_host.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const fs::path kInstall = fs::path{PONS_SOURCE_DIR} / "scripts/install";

const std::vector<std::string> kNames{"bridge",  "host-local", "static",    "loopback",
                                      "portmap", "firewall",   "bandwidth", "tuning"};

void makeFile(const fs::path& path, const std::string& content, mode_t mode = 0755) {
  std::ofstream{path} << content;
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

ino_t inodeOf(const fs::path& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_ino;
}

/// A plugin directory with two of the reference plugins and a foreign one.
struct Plugins {
  Scratch scratch;
  fs::path directory = scratch / "bin";
  fs::path binary = scratch / "pons-build";
  fs::path state = scratch / "state";

  Plugins() {
    fs::create_directory(directory);
    makeFile(binary, "the first pons");
    makeFile(scratch / "ponsctl", "the first ponsctl");
    makeFile(directory / "bridge", "the reference's bridge", 0750);
    makeFile(directory / "portmap", "the reference's portmap");
    makeFile(directory / "macvlan", "not our matter");
  }

  Outcome install(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv{"env", "PONS_STATE_DIR=" + state.string(), kInstall};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.push_back(directory);
    return run(argv);
  }
  void mustInstall() const {
    const Outcome outcome = install({"--binary", binary});
    REQUIRE_MESSAGE(outcome.ok(), outcome.err);
  }
  std::string dump() const { return dumpTree(directory); }
};

}  // namespace

TEST_CASE("install puts the programs and the links into the directory, and keeps the originals") {
  const Plugins plugins;
  plugins.mustInstall();
  CHECK(contentOf(plugins.directory / "pons") == "the first pons");
  CHECK(contentOf(plugins.directory / "ponsctl") == "the first ponsctl");
  for (const char* name : {"pons", "ponsctl"}) {
    CHECK(fs::status(plugins.directory / name).permissions() == fs::perms{0755});
  }
  for (const std::string& name : kNames) CHECK(fs::read_symlink(plugins.directory / name) == "pons");
  CHECK(contentOf(plugins.directory / "macvlan") == "not our matter");
  const fs::path kept = plugins.directory / ".pons-replaced";
  CHECK(contentOf(kept / "bridge") == "the reference's bridge");
  CHECK(fs::status(kept / "bridge").permissions() == fs::perms{0750});
}

TEST_CASE("install --restore leaves the directory as it was") {
  const Plugins plugins;
  const std::string before = plugins.dump();
  const ino_t bridge = inodeOf(plugins.directory / "bridge");
  plugins.mustInstall();
  REQUIRE(plugins.install({"--restore"}).ok());
  CHECK(plugins.dump() == before);
  CHECK(inodeOf(plugins.directory / "bridge") == bridge);

  const Outcome again = plugins.install({"--restore"});
  CHECK(again.exitCode == 1);
  CHECK(again.err.find("nothing to restore") != std::string::npos);
  CHECK(plugins.dump() == before);
}

TEST_CASE("install twice renews the binary and keeps the first original") {
  const Plugins plugins;
  const std::string before = plugins.dump();
  plugins.mustInstall();
  const ino_t first = inodeOf(plugins.directory / "pons");
  makeFile(plugins.binary, "the second pons");
  makeFile(plugins.scratch / "ponsctl", "the second ponsctl");
  plugins.mustInstall();
  CHECK(contentOf(plugins.directory / "pons") == "the second pons");
  CHECK(contentOf(plugins.directory / "ponsctl") == "the second ponsctl");
  // A new file under the old name: running processes keep the old inode, and there is no ETXTBSY.
  CHECK(inodeOf(plugins.directory / "pons") != first);
  REQUIRE(plugins.install({"--restore"}).ok());
  CHECK(plugins.dump() == before);
}

TEST_CASE("install keeps a foreign pons, and what a package upgrade put over a link") {
  const Plugins plugins;
  makeFile(plugins.directory / "pons", "a foreign pons");
  makeFile(plugins.directory / "ponsctl", "a foreign ponsctl");
  plugins.mustInstall();
  fs::remove(plugins.directory / "bridge");
  makeFile(plugins.directory / "bridge", "a newer bridge");
  plugins.mustInstall();
  CHECK(fs::read_symlink(plugins.directory / "bridge") == "pons");
  REQUIRE(plugins.install({"--restore"}).ok());
  CHECK(contentOf(plugins.directory / "pons") == "a foreign pons");
  CHECK(contentOf(plugins.directory / "ponsctl") == "a foreign ponsctl");
  CHECK(contentOf(plugins.directory / "bridge") == "a newer bridge");
}

TEST_CASE("install --restore refuses while attachments are on record, without --force") {
  const Plugins plugins;
  const std::string before = plugins.dump();
  plugins.mustInstall();
  const std::string installed = plugins.dump();
  for (const char* network : {"demo", "other"}) {
    fs::create_directories(plugins.state / "networks" / network / "attachments");
    makeFile(plugins.state / "networks" / network / "attachments/c1:eth0.json", "{}");
  }
  const Outcome refused = plugins.install({"--restore"});
  CHECK(refused.exitCode == 1);
  CHECK_MESSAGE(refused.err.find("attachments on record in " + plugins.state.string() + ": 2") != std::string::npos,
                refused.err);
  CHECK(plugins.dump() == installed);
  CHECK(plugins.install({"--restore", "--force"}).ok());
  CHECK(plugins.dump() == before);
}

TEST_CASE("install --restore keeps files not installed by pons, and reports them") {
  const Plugins plugins;
  plugins.mustInstall();
  fs::remove(plugins.directory / "bridge");
  makeFile(plugins.directory / "bridge", "a newer bridge");
  const Outcome restored = plugins.install({"--restore"});
  CHECK(restored.ok());
  CHECK(restored.err.find("bridge was not created by pons") != std::string::npos);
  CHECK(contentOf(plugins.directory / "bridge") == "a newer bridge");
  CHECK(contentOf(plugins.directory / ".pons-replaced/bridge") == "the reference's bridge");
  CHECK(contentOf(plugins.directory / "portmap") == "the reference's portmap");
  CHECK_FALSE(fs::exists(plugins.directory / "pons"));
  CHECK_FALSE(fs::exists(plugins.directory / "ponsctl"));
}

TEST_CASE("install --links installs the chosen names only") {
  const Plugins plugins;
  REQUIRE(plugins.install({"--binary", plugins.binary, "--links", "portmap,tuning"}).ok());
  CHECK(fs::read_symlink(plugins.directory / "portmap") == "pons");
  CHECK(fs::read_symlink(plugins.directory / "tuning") == "pons");
  CHECK(contentOf(plugins.directory / "bridge") == "the reference's bridge");
  CHECK_FALSE(fs::exists(plugins.directory / "firewall"));
}

TEST_CASE("install refuses what it cannot do, before it changes anything") {
  const Plugins plugins;
  const std::string before = plugins.dump();
  const auto refuses = [&](const std::vector<std::string>& arguments, const std::string& reason) {
    const Outcome outcome = plugins.install(arguments);
    CHECK(outcome.exitCode != 0);
    CHECK_MESSAGE(outcome.err.find(reason) != std::string::npos, outcome.err);
    CHECK(plugins.dump() == before);
  };
  refuses({"--binary", "/nonexistent/pons"}, "/nonexistent/pons is not an executable file");
  refuses({"--binary", plugins.binary, "--links", "macvlan"}, "no plugin \"macvlan\"");
  refuses({"--binary", "/usr/bin/true"}, "/usr/bin/ponsctl is not an executable file");
  refuses({"--wrong"}, "scripts/install");
  refuses({"--force", "--binary", plugins.binary}, "--restore [--force]");

  const Plugins blocked;
  fs::create_directory(blocked.directory / "tuning");
  const Outcome outcome = blocked.install({"--binary", blocked.binary});
  CHECK(outcome.err.find("tuning is a directory") != std::string::npos);
  CHECK(contentOf(blocked.directory / "bridge") == "the reference's bridge");
}
