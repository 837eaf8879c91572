// Installing, upgrading and removing the packages.
#include <fstream>
#include <iterator>
#include <map>

#include <doctest/doctest.h>

#include "tests/packages/debian.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kNames{"bridge",  "host-local", "static",    "loopback",
                                      "portmap", "firewall",   "bandwidth", "tuning"};
const std::string kPlugins = "/usr/lib/cni/";
constexpr const char* kCommandLink = "/usr/local/sbin/ponsctl";
/// For NetworkManager, systemd-networkd, udev and modprobe, with their sources.
const fs::path kScripts = PONS_SOURCE_DIR "/scripts";
const std::map<fs::path, fs::path> kHostFiles{
    {"/usr/lib/NetworkManager/conf.d/10-pons.conf", kScripts / "managers/10-pons.conf"},
    {"/usr/lib/systemd/network/10-pons.network", kScripts / "managers/10-pons.network"},
    {"/usr/lib/systemd/network/10-pons.link", kScripts / "managers/10-pons.link"},
    {"/usr/lib/modules-load.d/pons.conf", kScripts / "modules/modules-load.conf"},
    {"/usr/lib/modprobe.d/pons.conf", kScripts / "modules/modprobe.conf"}};

void remove(const FakeRoot& root, const std::string& verb, const std::string& package) {
  root.outputOf({"dpkg", "--force-unsafe-io", "--no-triggers", verb, package});
}

/// A package of that name with one plugin of this content, for an upgrade.
fs::path packageWith(const Scratch& scratch, const std::string& name, const std::string& plugin,
                     const std::string& content) {
  const fs::path tree = scratch / "tree";
  fs::create_directories(tree / "DEBIAN");
  fs::create_directories(tree / "usr/lib/cni");
  std::ofstream{tree / "DEBIAN/control"} << "Package: " << name << "\nVersion: 999\nArchitecture: all\n"
                                         << "Maintainer: test <test@pons.example>\nDescription: upgraded\n";
  std::ofstream{tree / "usr/lib/cni" / plugin} << content;
  const fs::path package = scratch / (name + "_999_all.deb");
  outputOf({"dpkg-deb", "--root-owner-group", "--build", tree, package});
  return package;
}

}  // namespace

TEST_CASE("the packages are reproducible") {
  const Scratch scratch;
  const fs::path first = packageOf("pons");
  const fs::path again = scratch / "again";
  makePackages(again);
  for (const fs::path& package : {first, packageOf("pons-links")}) {
    CHECK(contentOf(package) == contentOf(again / package.filename()));
  }
}

TEST_CASE("the packages have the version of their changelog") {
  const std::string changelog = outputOf(
      {"dpkg-parsechangelog", "--file", PONS_SOURCE_DIR "/scripts/debian/changelog", "--show-field", "Version"});
  for (const char* name : {"pons", "pons-links"}) {
    CHECK(outputOf({"dpkg-deb", "--field", packageOf(name), "Version"}) == changelog);
  }
}

TEST_CASE("lintian finds no error in the packages") {
  if (!fs::exists("/usr/bin/lintian")) return FakeHost::countSkip("needs lintian, which scripts/package installs");
  const Outcome outcome =
      run({"lintian", "--allow-root", "--fail-on", "error", packageOf("pons"), packageOf("pons-links")});
  CHECK_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

TEST_CASE("the package pons can be installed and used, and --purge removes all its files") {
  inFakeRoot([](const FakeRoot& root) {
    installPackages(root, {packageOf("pons")});
    CHECK(versionsOf(root, kPlugins + "pons").find(R"("1.1.0")") != std::string::npos);
    CHECK(versionsOf(root, "pons") == versionsOf(root, kPlugins + "pons"));
    CHECK(root.outputOf({"/usr/sbin/ponsctl", "version"}) == root.outputOf({"pons", "version"}));
    CHECK(root.outputOf({"dpkg", "--verify", "pons"}).empty());
    CHECK(fs::is_symlink(root / "/etc/systemd/system/multi-user.target.wants/pons-watch.service"));
    CHECK(fs::exists(root / "/usr/share/bash-completion/completions/ponsctl"));
    for (const auto& [file, source] : kHostFiles) CHECK(contentOf(root / file) == contentOf(source));
    for (const auto& [section, page] :
         {std::pair{"8", "pons"}, {"8", "ponsctl"}, {"5", "pons.conf"}, {"7", "pons-troubleshooting"}}) {
      CHECK(root.outputOf({"man", "--where", section, page}).starts_with("/usr/share/man/"));
    }

    remove(root, "--purge", "pons");
    CHECK(root.changed().empty());
  });
}

TEST_CASE("systemd-analyze verifies the installed units") {
  if (!fs::exists("/usr/bin/systemd-analyze")) return FakeHost::countSkip("needs systemd-analyze");
  inFakeRoot([](const FakeRoot& root) {
    installPackages(root, {packageOf("pons")});
    const Outcome outcome = root.run({"systemd-analyze", "verify", "pons-watch.service"});
    CHECK_MESSAGE(outcome.ok(), outcome.err);
    CHECK_MESSAGE(outcome.err.find("pons") == std::string::npos, outcome.err);
    root.outputOf({"systemd-tmpfiles", "--create", "pons.conf"});
    CHECK(fs::status(root / "/run/pons").permissions() == fs::perms{0700});
  });
}

/// Runs as a unit of a systemd booted for this test.
constexpr const char* kUnderSystemd = R"(#!/bin/bash
exec >/root/report 2>&1
retry() { for _ in {1..100}; do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; return 1; }
systemctl start pons-watch.service && echo ready
ip netns add c1
echo '{"cniVersion": "1.1.0", "name": "demo", "type": "pons", "ipam": {"subnet": "10.42.0.0/24"}}' |
  CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_PATH=/x pons >/dev/null && echo attached
for how in start restart reload; do
  systemctl "$how" nftables.service
  nft list table inet filter >/dev/null && retry nft list table ip pons && echo "repaired after a $how"
done
nft flush ruleset
retry nft list table ip pons && echo "repaired after a flush"
retry grep -q 'pons_attachments{network="demo"} 1' /var/lib/prometheus/node-exporter/pons.prom && echo counted
ip netns del c1
retry test ! -e /run/pons/networks/demo/attachments/c1:eth0.json && echo collected
systemctl stop pons-watch.service && [[ $(systemctl show --property Result --value pons-watch.service) == success ]] && echo stopped
systemctl poweroff >/dev/null 2>&1
)";

constexpr const char* kUnderSystemdUnit = "[Service]\nExecStart=/root/under-systemd\n";

TEST_CASE(
    "under systemd, pons-watch.service is ready, restores what a firewall's start, reload or flush removed, and writes "
    "metrics") {
  if (!fs::exists("/usr/bin/systemd-nspawn")) return FakeHost::countSkip("needs systemd-nspawn");
  inFakeRoot([](const FakeRoot& root) {
    installPackages(root, {packageOf("pons")});
    std::ofstream{root / "/root/under-systemd"} << kUnderSystemd;
    fs::permissions(root / "/root/under-systemd", fs::perms{0755});
    std::ofstream{root / "/etc/systemd/system/under-systemd.service"} << kUnderSystemdUnit;
    std::ofstream{root / "/etc/nftables.conf"} << "flush ruleset\ntable inet filter {}\n";
    fs::create_directories(root / "/var/lib/prometheus/node-exporter");
    for (const char* own : {"/dev", "/proc", "/sys"}) outputOf({"umount", "--recursive", root / own});
    const Outcome booted =
        run({"timeout", "100", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
             "--directory", root / "/", "--boot", "systemd.unit=under-systemd.service"},
            {.environment = {}, .input = {}, .timeout = std::chrono::seconds{110}});
    CHECK_MESSAGE(contentOf(root / "/root/report") ==
                      "ready\nattached\nrepaired after a start\nrepaired after a restart\nrepaired after a reload\n"
                      "repaired after a flush\ncounted\ncollected\nstopped\n",
                  booted.out << booted.err);
  });
}

TEST_CASE("an upgrade enables pons-watch.service, and nothing remains of the units in whose place it is") {
  inFakeRoot([](const FakeRoot& root) {
    const std::vector<std::string> old{"pons-repair.service", "pons-repair-on-reload.service", "pons-metrics.timer"};
    const fs::path units = root / "/usr/lib/systemd/system";
    const fs::path enabled = root / "/etc/systemd/system/multi-user.target.wants";
    fs::create_directories(units);
    for (const std::string& unit : old) {
      std::ofstream{units / unit} << "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
      root.outputOf({"env", "DPKG_MAINTSCRIPT_PACKAGE=pons", "deb-systemd-helper", "enable", unit});
      CHECK(fs::is_symlink(enabled / unit));
      fs::remove(units / unit);  // dpkg removes an earlier version's files before the new one is configured
    }
    installPackages(root, {packageOf("pons")});
    for (const std::string& unit : old) CHECK(!fs::is_symlink(enabled / unit));
    CHECK(fs::is_symlink(enabled / "pons-watch.service"));
  });
}

TEST_CASE("removing a package while attachments are on record prints a warning") {
  inFakeRoot([](const FakeRoot& root) {
    installPackages(root, {packageOf("pons"), packageOf("pons-links")});
    fs::create_directories(root / "/run/pons/networks/demo/attachments");
    std::ofstream{root / "/run/pons/networks/demo/attachments/c1:eth0.json"} << "{}";
    for (const char* package : {"pons-links", "pons"}) {
      const Outcome outcome = root.run({"dpkg", "--no-triggers", "--remove", package});
      CHECK(outcome.ok());
      CHECK(outcome.err.find(package + std::string{": attachments still on record in /run/pons: 1"}) !=
            std::string::npos);
    }
  });
}

TEST_CASE("pons-links diverts the reference plugins, and its removal restores them") {
  if (!fs::exists(kPlugins + "bridge")) return FakeHost::countSkip("needs containernetworking-plugins");
  inFakeRoot([](const FakeRoot& root) {
    installPackages(root, {packageOf("pons")});
    const std::string reference = versionsOf(root, kPlugins + "bridge");
    installPackages(root, {packageOf("pons-links")});
    for (const std::string& name : kNames) {
      CAPTURE(name);
      CHECK(fs::read_symlink(root / (kPlugins + name)) == "pons");
      CHECK(fs::is_regular_file(root / (kPlugins + name + ".reference")));
    }
    CHECK(versionsOf(root, kPlugins + "bridge") != reference);
    CHECK(versionsOf(root, kPlugins + "bridge.reference") == reference);

    remove(root, "--purge", "pons-links");
    CHECK(versionsOf(root, kPlugins + "bridge") == reference);
    for (const std::string& name : kNames) CHECK(fs::is_regular_file(root / (kPlugins + name)));
    CHECK(root.outputOf({"dpkg-divert", "--list", "pons*"}).empty());
  });
}

TEST_CASE("an upgrade of the reference plugins does not replace the links of pons-links") {
  if (!fs::exists(kPlugins + "bridge")) return FakeHost::countSkip("needs containernetworking-plugins");
  inFakeRoot([](const FakeRoot& root) {
    const Scratch scratch;
    installPackages(root, {packageOf("pons"), packageOf("pons-links")});
    installPackages(root, {packageWith(scratch, "containernetworking-plugins", "bridge", "a newer bridge")});
    CHECK(fs::read_symlink(root / (kPlugins + "bridge")) == "pons");
    remove(root, "--remove", "pons-links");
    CHECK(contentOf(root / (kPlugins + "bridge")) == "a newer bridge");
  });
}

TEST_CASE("the packaged install script installs both programs in /opt/cni/bin, and --restore removes them") {
  inFakeRoot([](const FakeRoot& root) {
    installPackages(root, {packageOf("pons")});
    for (const char* path : {"/opt/cni", kCommandLink}) fs::remove_all(root / path);
    root.outputOf({"/usr/share/pons/install", "/opt/cni/bin"});
    CHECK(contentOf(root / "/opt/cni/bin/pons") == contentOf(root / "/usr/lib/cni/pons"));
    CHECK(contentOf(root / "/opt/cni/bin/ponsctl") == contentOf(root / "/usr/sbin/ponsctl"));
    CHECK_FALSE(fs::is_symlink(root / kCommandLink));
    CHECK(versionsOf(root, "/opt/cni/bin/bridge") == versionsOf(root, "/opt/cni/bin/pons"));
    root.outputOf({"/usr/share/pons/install", "--restore", "/opt/cni/bin"});
    CHECK(fs::is_empty(root / "/opt/cni/bin"));
  });
}

TEST_CASE("scripts/install links /usr/local/sbin/ponsctl to /opt/cni/bin, never over a foreign file") {
  inFakeRoot([](const FakeRoot& root) {
    const std::string script = root.bring(PONS_SOURCE_DIR "/scripts/install");
    const std::string binary = root.bring(PONS_BINARY);
    root.bring(PONSCTL_BINARY);
    for (const char* path : {"/opt/cni", kCommandLink}) fs::remove_all(root / path);
    root.outputOf({script, "--binary", binary});
    CHECK(fs::read_symlink(root / kCommandLink) == "/opt/cni/bin/ponsctl");
    root.outputOf({script, "--restore"});
    CHECK(fs::is_empty(root / "/opt/cni/bin"));
    CHECK_FALSE(fs::is_symlink(root / kCommandLink));

    std::ofstream{root / kCommandLink} << "foreign";
    CHECK(root.run({script, "--binary", binary}).err.find("/usr/local/sbin/ponsctl was not made") != std::string::npos);
    root.outputOf({script, "--restore"});
    CHECK(contentOf(root / kCommandLink) == "foreign");
  });
}

TEST_CASE(
    "scripts/install installs the files for NetworkManager, networkd, udev and modules, but not over a package's") {
  inFakeRoot([](const FakeRoot& root) {
    const fs::path tree = root / "/root/tree/scripts";
    fs::create_directories(tree);
    fs::copy_file(PONS_SOURCE_DIR "/scripts/install", tree / "install");
    for (const char* directory : {"managers", "modules"}) fs::copy(kScripts / directory, tree / directory);
    const std::string binary = root.bring(PONS_BINARY);
    root.bring(PONSCTL_BINARY);
    for (const char* path : {"/opt/cni", kCommandLink}) fs::remove_all(root / path);
    const auto install = [&](const std::vector<std::string>& arguments) {
      std::vector<std::string> command{"/root/tree/scripts/install"};
      command.insert(command.end(), arguments.begin(), arguments.end());
      root.outputOf(command);
    };

    install({"--binary", binary, "/opt/cni/elsewhere"});
    for (const auto& [file, source] : kHostFiles) CHECK_FALSE(fs::exists(root / file));
    for (const bool again : {false, true}) {
      if (again) setContent(root / kHostFiles.rbegin()->first, "of another version");
      install({"--binary", binary});
      for (const auto& [file, source] : kHostFiles) CHECK(contentOf(root / file) == contentOf(source));
    }
    install({"--restore"});
    CHECK(fs::is_empty(root / "/opt/cni/bin"));
    for (const auto& [file, source] : kHostFiles) CHECK_FALSE(fs::exists(root / file));

    installPackages(root, {packageOf("pons")});
    install({"--binary", binary});
    install({"--restore"});
    CHECK(root.outputOf({"dpkg", "--verify", "pons"}).empty());
  });
}

TEST_CASE("cmake --install installs the same files in another prefix, without the reference plugins' names") {
  const Scratch scratch;
  const fs::path build = fs::path{PONS_BINARY}.parent_path();
  outputOf({"env", "DESTDIR=" + scratch.path(), "cmake", "--install", build, "--prefix", "/usr/local"});
  const fs::path prefix = scratch / "usr/local";
  CHECK(fs::is_regular_file(prefix / "lib/cni/pons"));
  CHECK(fs::equivalent(prefix / "sbin/pons", prefix / "lib/cni/pons"));
  CHECK(fs::is_regular_file(prefix / "sbin/ponsctl"));
  CHECK(fs::exists(prefix / "share/man/man8/pons.8.gz"));
  CHECK(fs::exists(prefix / "share/man/man8/ponsctl.8.gz"));
  CHECK(fs::exists(prefix / "share/doc/pons/examples/prometheus/pons-alerts.yml"));
  CHECK(fs::exists(prefix / "lib/systemd/system/pons-watch.service"));
  CHECK(fs::exists(prefix / "lib/systemd/network/10-pons.link"));
  CHECK_FALSE(fs::exists(prefix / "lib/cni/bridge"));
}
