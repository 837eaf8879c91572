// Every way to install puts the same files in place, with the paths of its prefix in them.
#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/packages/debian.h"
#include "tests/packages/paths.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const std::string kDocs = "share/doc/pons/";

std::string unpackedText(const fs::path& compressed) { return outputOf({"gzip", "-cd", compressed}); }

/// What an installation without a package has below /usr and /usr/local, with these cut off.
Paths withoutPrefix(const std::string& changed) {
  Paths paths;
  std::istringstream lines{changed};
  for (std::string path; std::getline(lines, path);) {
    for (const std::string prefix : {"/usr/local/", "/usr/", "/opt/cni/bin/"}) {
      if (!path.starts_with(prefix)) continue;
      path.erase(0, prefix.size());
      break;
    }
    paths.insert(path);
  }
  return paths;
}

}  // namespace

TEST_CASE("cmake --install installs programs, manual pages, completion, units, examples and the licence") {
  const Scratch scratch;
  const Paths files = filesIn(installedIn(scratch, "/usr"));
  for (const char* file : {"lib/cni/pons",
                           "sbin/pons",
                           "sbin/ponsctl",
                           "share/man/man8/pons.8.gz",
                           "share/man/man8/ponsctl.8.gz",
                           "share/man/man5/pons.conf.5.gz",
                           "share/man/man7/pons-migration.7.gz",
                           "share/man/man7/pons-troubleshooting.7.gz",
                           "share/bash-completion/completions/ponsctl",
                           "lib/systemd/system/pons-watch.service",
                           "lib/systemd/network/10-pons.link",
                           "lib/systemd/network/10-pons.network",
                           "lib/NetworkManager/conf.d/10-pons.conf",
                           "lib/tmpfiles.d/pons.conf",
                           "lib/modules-load.d/pons.conf",
                           "lib/modprobe.d/pons.conf",
                           "share/pons/install",
                           "share/doc/pons/LICENSE",
                           "share/doc/pons/README.md",
                           "share/doc/pons/copyright",
                           "share/doc/pons/examples/10-minimal.conflist"}) {
    CHECK_MESSAGE(files.contains(file), file);
  }
  CHECK_FALSE(files.contains("lib/cni/bridge"));
  CHECK_FALSE(files.contains("share/lintian/overrides/pons"));
}

TEST_CASE("the Debian package has the files of cmake --install, and Debian's own in place of the licence") {
  const Scratch scratch;
  Paths expected = filesIn(installedIn(scratch, "/usr"));
  expected.erase(kDocs + "LICENSE");
  expected.insert({kDocs + "changelog.Debian.gz", "share/lintian/overrides/pons"});
  outputOf({"dpkg-deb", "--extract", packageOf("pons"), scratch / "deb"});
  CHECK(differences(filesIn(scratch / "deb/usr"), expected) == "");
  for (const char* file : {"lib/systemd/system/pons-watch.service", "share/man/man8/pons.8.gz"}) {
    CHECK(contentOf(scratch / "deb/usr/" + file) == contentOf(scratch / "usr/" + file));
  }
}

TEST_CASE("scripts/install installs what a package has, except documentation, for /opt/cni/bin") {
  inFakeRoot([](const FakeRoot& root) {
    const Scratch scratch;
    Paths expected;
    for (const std::string& file : filesIn(installedIn(scratch, "/usr"))) {
      // The link is for one release.
      if (!file.starts_with(kDocs) && file != "share/pons/install" && file != "sbin/pons") expected.insert(file);
    }
    expected.erase("lib/cni/pons");
    expected.insert({"pons", "ponsctl"});

    const fs::path tree = root / "/root/source";
    fs::create_directories(tree);
    setContent(tree / "CMakeLists.txt", "");
    fs::copy(PONS_SOURCE_DIR "/scripts", tree / "scripts", fs::copy_options::recursive);
    const std::string binary = root.bring(PONS_BINARY);
    root.bring(PONSCTL_BINARY);
    for (const char* path : {"/opt/cni", "/usr/local/sbin/ponsctl"}) fs::remove_all(root / path);
    const std::string before = root.changed();
    root.outputOf({"/root/source/scripts/install", "--binary", binary, "--links", "", "/opt/cni/bin"});
    Paths files = withoutPrefix(root.changed());
    std::erase_if(files, [&](const std::string& file) {
      return file.starts_with(".pons-replaced") || before.find(file) != std::string::npos;
    });
    CHECK(differences(files, expected) == "");

    const std::string unit = contentOf(root / "/usr/local/lib/systemd/system/pons-watch.service");
    CHECK(contains(unit, "\nExecStart=/usr/local/sbin/ponsctl watch "));
    const std::string pages = unpackedText(root / "/usr/local/share/man/man8/pons.8.gz") +
                              unpackedText(root / "/usr/local/share/man/man7/pons-migration.7.gz");
    for (const char* path : {"/opt/cni/bin/pons", "/usr/lib/NetworkManager/conf.d/10-pons.conf",
                             "/root/source/conf-examples/10-rootless.conflist", "/root/source/scripts/install "}) {
      CHECK_MESSAGE(contains(pages, path), path);
    }
    root.outputOf({"/root/source/scripts/install", "--restore", "/opt/cni/bin"});
    CHECK(root.changed() == before);
  });
}

TEST_CASE("cmake --install writes the paths of its prefix into unit and manual pages") {
  const Scratch scratch;
  const fs::path prefix = installedIn(scratch, "/opt/x");
  CHECK(
      contains(contentOf(prefix / "lib/systemd/system/pons-watch.service"), "\nExecStart=/opt/x/sbin/ponsctl watch "));
  std::string pages;
  for (const std::string& file : filesIn(prefix / "share/man")) pages += unpackedText(prefix / "share/man" / file);
  for (const char* path :
       {"/opt/x/lib/cni/pons", "/opt/x/lib/NetworkManager/conf.d/10-pons.conf", "/opt/x/lib/modules-load.d/pons.conf",
        "/opt/x/share/pons/install /opt/cni/bin", "/opt/x/share/doc/pons/examples/10-rootless.conflist"}) {
    CHECK_MESSAGE(contains(pages, path), path);
  }
  for (const std::string& file : filesIn(scratch / "opt/x")) {
    if (file.starts_with("share/man") || file.starts_with("lib/systemd")) {
      const std::string text = file.ends_with(".gz") ? unpackedText(prefix / file) : contentOf(prefix / file);
      CHECK_MESSAGE(!contains(text, "/usr/sbin/pons"), file);
      CHECK_MESSAGE(!contains(text, "/usr/share/"), file);
    }
  }
  CHECK(outputOf({prefix / "sbin/ponsctl", "version"}) == outputOf({PONSCTL_BINARY, "version"}));
}

TEST_CASE("find_package(pons) of another project finds the programs under the prefix to which they were installed") {
  const Scratch scratch;
  const std::string build = fs::path{PONS_BINARY}.parent_path();
  const std::string prefix = scratch / "x";
  outputOf({"cmake", "--install", build, "--prefix", prefix});
  outputOf({"cmake", "--install", build, "--prefix", prefix, "--component", "cmake"});
  setContent(scratch / "CMakeLists.txt",
             "cmake_minimum_required(VERSION 3.25)\nproject(image NONE)\nfind_package(pons REQUIRED)\n"
             "file(GENERATE OUTPUT found CONTENT \"$<TARGET_FILE:pons::pons> $<TARGET_FILE:pons::ponsctl>\")\n");
  mustRun({"cmake", "-S", scratch.path(), "-B", scratch / "b", "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + prefix});
  CHECK(contentOf(scratch / "b/found") == prefix + "/lib/cni/pons " + prefix + "/sbin/ponsctl");
}

TEST_CASE("PONS_PLUGIN_DIR moves the plugin, its link and its manual page, and share/pons/install finds it") {
  const Scratch scratch;
  const std::string build = scratch / "build";
  mustRun({"cmake", "-S", PONS_SOURCE_DIR, "-B", build, "-G", "Ninja", "-DPONS_TESTS=OFF",
           "-DPONS_PLUGIN_DIR=libexec/cni"});
  for (const char* program : {PONS_BINARY, PONSCTL_BINARY}) {
    fs::copy_file(program, fs::path{build} / fs::path{program}.filename());
  }
  outputOf({"cmake", "--install", build, "--prefix", scratch / "usr"});
  const fs::path prefix = scratch / "usr";
  CHECK(fs::equivalent(prefix / "sbin/pons", prefix / "libexec/cni/pons"));
  CHECK_FALSE(fs::exists(prefix / "lib/cni"));
  CHECK(contains(unpackedText(prefix / "share/man/man8/pons.8.gz"), prefix.string() + "/libexec/cni/pons"));
  outputOf({prefix / "share/pons/install", "--links", "", scratch / "bin"});
  CHECK(contentOf(scratch / "bin/pons") == contentOf(PONS_BINARY));
  CHECK(contentOf(scratch / "bin/ponsctl") == contentOf(PONSCTL_BINARY));
}
