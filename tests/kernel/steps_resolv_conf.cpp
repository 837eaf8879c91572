// The container's own /etc/resolv.conf: writable and read-only roots, symlinks, and roots that are refused.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/kernel/resolv_conf_bench.h"

using namespace support;
namespace fs = std::filesystem;

TEST_CASE("a writable root gets the file, and DEL restores it; the host's files are not changed") {
  for (std::size_t which = 0; which < kImages.size(); ++which) {
    CAPTURE(which);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    ResolvConfBench bench;
    std::ofstream{"/run/host-file"} << "the host's";
    kImages[which](bench.image);
    const std::string before = bench.image.dump();
    const std::size_t mounts = mountCount();
    CHECK(differencesOf(*bench.step, bench.host) != "");
    for (int round = 0; round < 2; ++round) {
      bench.mustApply();
      CHECK(bench.image.resolvConf() == kFile);
      CHECK(!fs::is_symlink(bench.image / "etc/resolv.conf"));
      bench.mustApply();  // as repair does
      CHECK(mountCount() == mounts);
      bench.mustUndo();
      CHECK(bench.image.dump() == before);
      bench.mustUndo();
      CHECK(bench.image.dump() == before);
    }
    CHECK(contentOf("/run/host-file") == "the host's");
    CHECK(dumpLedger() == "");
  }
}

TEST_CASE("in a read-only root a file of the state directory is bind-mounted") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
  bench.image.with("the image's").readOnly();
  const std::string before = bench.image.dump();
  const std::size_t mounts = mountCount();
  for (int round = 0; round < 2; ++round) {
    bench.mustApply();
    CHECK(bench.image.resolvConf() == kFile);
    CHECK(mountCount() == mounts + 1);
    CHECK(fs::status("/run/pons/staged/" + bench.attachment.hostVeth.toString()).permissions() == fs::perms{0644});
    bench.mustUndo();
    CHECK(bench.image.dump() == before);
    CHECK(mountCount() == mounts);
    CHECK(dumpLedger() == "");
    bench.mustUndo();
  }
}

TEST_CASE("the longest names of network and container have a file, too") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
  bench.attachment.key = keyOf(std::string(200, 'c'), std::string(200, 'n'), "eth0123456789ab");
  bench.image.with("the image's").readOnly();
  bench.mustApply();
  bench.mustUndo();
  CHECK(dumpLedger() == "");
}

TEST_CASE("in a read-only root a symlink is followed inside it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
  std::ofstream{"/run/stub"} << "the host's";
  bench.image.with("the image's", "run/stub").linked("/run/stub").readOnly();
  bench.mustApply();
  CHECK(contentOf(bench.image / "run/stub") == kFile);
  CHECK(contentOf("/run/stub") == "the host's");
  bench.mustUndo();
  CHECK(contentOf(bench.image / "run/stub") == "the image's");
}

TEST_CASE("an /etc that is a symlink is resolved inside the root") {
  for (const char* target : {"../../outside", "/outside"}) {
    CAPTURE(target);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    ResolvConfBench bench;
    fs::create_directory("/run/outside");
    fs::remove(bench.image / "etc");
    bench.image.linked(target, "etc");
    bench.checkRefused("No such file");
    fs::create_directory(bench.image / "outside");
    bench.mustApply();
    CHECK(contentOf(bench.image / "outside/resolv.conf") == kFile);
    bench.mustUndo();
    CHECK(fs::is_empty(bench.image / "outside"));
    CHECK(fs::is_empty("/run/outside"));
  }
}

TEST_CASE("a root that cannot have the file is refused with the reason and not changed") {
  using Change = std::function<void(const RootFs&)>;
  const std::vector<std::pair<Change, std::string>> refused{
      {[](const RootFs& image) { fs::create_directory(image / "etc/resolv.conf"); }, "neither a file nor a symlink"},
      {[](const RootFs& image) { REQUIRE(mkfifo((image / "etc/resolv.conf").c_str(), 0600) == 0); },
       "neither a file nor a symlink"},
      {[](const RootFs& image) { fs::remove(image / "etc"); }, "etc: No such file"},
      {[](const RootFs& image) {
         fs::remove(image / "etc");
         image.with("a file", "etc");
       },
       "etc: Not a directory"},
      {[](const RootFs& image) { image.readOnly(); }, "resolv.conf: No such file"},
      {[](const RootFs& image) { image.linked("/run/nothing").readOnly(); }, "resolv.conf: No such file"},
      {[](const RootFs& image) { image.with("dir", "run/d/f").linked("/run/d").readOnly(); },
       "mounted over a regular file"},
      {[](const RootFs& image) {
         image.with("mounted over");
         std::ofstream{"/run/theirs"} << "theirs";
         const std::string path = image / "etc/resolv.conf";
         REQUIRE(mount("/run/theirs", path.c_str(), nullptr, MS_BIND, nullptr) == 0);
       },
       "is mounted on"},
  };
  for (std::size_t which = 0; which < refused.size(); ++which) {
    CAPTURE(which);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    ResolvConfBench bench;
    refused[which].first(bench.image);
    bench.checkRefused(refused[which].second);
  }
}

TEST_CASE("a missing root and the host's own root are refused at ADD, and DEL has nothing to undo") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const char* path : {"/run/nothing", "/run/file", "/", "/run/file/below"}) {
    CAPTURE(path);
    ResolvConfBench bench;
    std::ofstream{"/run/file"} << "";
    bench.attachment.resolvConf->root = path;
    bench.checkRefused(path);
    CHECK(differencesOf(*bench.step, bench.host) != "");
  }
}
