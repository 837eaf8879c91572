// The container's own /etc/resolv.conf.
#include <cstdio>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netlib/os/root_directory.h"

#include "plugin/steps/steps.h"

#include "tests/support/attachments.h"
#include "tests/support/root_fs.h"
#include "tests/support/runtime.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const std::string kServer = "nameserver 10.42.0.1\n";
const std::string kFile = "# made by pons\n" + kServer;

struct Bench {
  FakeHost fake;
  RootFs image;
  pons::Host host = openHost();
  pons::Attachment attachment = attachmentOf(keyOf("c1"), {});
  pons::StepPointer step;

  Bench() : step((attachment.resolvConf = {image.path(), kServer}, pons::resolvConfPresent(attachment))) {}

  void mustApply() {
    const auto applied = step->apply(host);
    REQUIRE_MESSAGE(applied.ok(), (applied ? "" : applied.error().message));
    CHECK(step->verify(host).ok());
  }
  void mustUndo() {
    const auto undone = step->undo(host);
    REQUIRE_MESSAGE(undone.ok(), (undone ? "" : undone.error().message));
  }
  /// Refused with these words, and nothing is changed.
  void checkRefused(const std::string& words) {
    const std::string before = image.dump() + dumpLedger();
    const std::size_t mounts = mountCount();
    const auto applied = step->apply(host);
    REQUIRE(applied.failedWith(EINVAL));
    CHECK_MESSAGE(applied.error().message.find(words) != std::string::npos, applied.error().message);
    CHECK(image.dump() + dumpLedger() == before);
    CHECK(mountCount() == mounts);
    mustUndo();
    CHECK(image.dump() + dumpLedger() == before);
  }
};

/// What images have: a file, nothing, symlinks that lead nowhere, inside and to the host.
const std::vector<std::function<void(const RootFs&)>> kImages{
    [](const RootFs&) {},
    [](const RootFs& image) {
      image.with("nameserver 192.0.2.53\n");
      REQUIRE(chmod((image / "etc/resolv.conf").c_str(), 0604) == 0);
    },
    [](const RootFs& image) { image.linked("../run/systemd/resolve/stub-resolv.conf"); },
    [](const RootFs& image) { image.with("stub", "run/stub").linked("/run/stub"); },
    [](const RootFs& image) { image.linked("/run/host-file"); },
    [](const RootFs& image) { image.with("short").linked("resolv.conf", "etc/other"); },
};

}  // namespace

TEST_CASE("D2, W65: a root that can be written gets the file, and is afterwards as before; the host's files stay") {
  for (std::size_t which = 0; which < kImages.size(); ++which) {
    CAPTURE(which);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    Bench bench;
    std::ofstream{"/run/host-file"} << "the host's";
    kImages[which](bench.image);
    const std::string before = bench.image.dump();
    const std::size_t mounts = mountCount();
    CHECK(bench.step->verify(bench.host).failedWith(pons::kBroken));
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

TEST_CASE("D3 to D5, W64, W66: over a root that is read-only a file of the ledger is mounted") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Bench bench;
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
  Bench bench;
  bench.attachment.key = keyOf(std::string(200, 'c'), std::string(200, 'n'), "eth0123456789ab");
  bench.image.with("the image's").readOnly();
  bench.mustApply();
  bench.mustUndo();
  CHECK(dumpLedger() == "");
}

TEST_CASE("W65: in a read-only root a symlink is followed inside it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Bench bench;
  std::ofstream{"/run/stub"} << "the host's";
  bench.image.with("the image's", "run/stub").linked("/run/stub").readOnly();
  bench.mustApply();
  CHECK(contentOf(bench.image / "run/stub") == kFile);
  CHECK(contentOf("/run/stub") == "the host's");
  bench.mustUndo();
  CHECK(contentOf(bench.image / "run/stub") == "the image's");
}

TEST_CASE("W65: an /etc that is a symlink leads nowhere but inside") {
  for (const char* target : {"../../outside", "/outside"}) {
    CAPTURE(target);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    Bench bench;
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

TEST_CASE("a root that cannot have the file is refused, says why, and stays as it is") {
  using Spoil = std::function<void(const RootFs&)>;
  const std::vector<std::pair<Spoil, std::string>> spoilt{
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
      {[](const RootFs& image) { image.with("dir", "run/d/f").linked("/run/d").readOnly(); }, "regular file only"},
      {[](const RootFs& image) {
         image.with("mounted over");
         std::ofstream{"/run/theirs"} << "theirs";
         const std::string path = image / "etc/resolv.conf";
         REQUIRE(mount("/run/theirs", path.c_str(), nullptr, MS_BIND, nullptr) == 0);
       },
       "mounted over"},
  };
  for (std::size_t which = 0; which < spoilt.size(); ++which) {
    CAPTURE(which);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    Bench bench;
    spoilt[which].first(bench.image);
    bench.checkRefused(spoilt[which].second);
  }
}

TEST_CASE("no root of that name is refused at ADD and nothing to undo at DEL; nor is the host's own") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const char* path : {"/run/nothing", "/run/file", "/", "/run/file/below"}) {
    CAPTURE(path);
    Bench bench;
    std::ofstream{"/run/file"} << "";
    bench.attachment.resolvConf->root = path;
    bench.checkRefused(path);
    CHECK(bench.step->verify(bench.host).failedWith(pons::kBroken));
  }
}

TEST_CASE("what killed programs leave in a root is undone, wherever they were") {
  const auto inside = [](const Bench& bench) {
    return netlib::RootDirectory::open(bench.image.path())->directory("etc").value();
  };
  const std::vector<std::function<void(const Bench&)>> stops{
      [&](const Bench& bench) { REQUIRE(inside(bench).createFile(".resolv.conf.pons.draft", "half").ok()); },
      [&](const Bench& bench) { REQUIRE(inside(bench).link("resolv.conf", ".resolv.conf.pons").ok()); },
      [&](const Bench& bench) {
        REQUIRE(inside(bench).createFile(".resolv.conf.pons.draft", kFile).ok());
        REQUIRE(inside(bench).link("resolv.conf", ".resolv.conf.pons").ok());
      }};
  for (const auto& image : {kImages[1], kImages[2]}) {
    for (const auto& stop : stops) {
      if (!FakeHost::possible()) return FakeHost::countSkip();
      Bench bench;
      image(bench.image);
      const std::string before = bench.image.dump();
      stop(bench);
      bench.mustUndo();
      CHECK(bench.image.dump() == before);
      stop(bench);
      bench.mustApply();
      bench.mustUndo();
      CHECK(bench.image.dump() == before);
    }
  }
}

TEST_CASE("after a reboot, which the root survives and the ledger does not, the image's own file is not forgotten") {
  for (const auto& prepare : kImages) {
    if (!FakeHost::possible()) return FakeHost::countSkip();
    Bench bench;
    prepare(bench.image);
    const std::string before = bench.image.dump();
    bench.mustApply();
    bench.attachment.resolvConf->content = "nameserver 192.0.2.1\n";
    bench.mustApply();
    bench.mustUndo();
    CHECK(bench.image.dump() == before);
  }
}

TEST_CASE("what a container makes of its root keeps no DEL from its end") {
  const std::vector<std::function<void(const RootFs&)>> mischief{
      [](const RootFs& image) {
        fs::remove(image / "etc/resolv.conf");
        fs::create_directory(image / "etc/resolv.conf");
      },
      [](const RootFs& image) {
        fs::remove(image / "etc/.resolv.conf.pons");
        fs::create_directories(image / "etc/.resolv.conf.pons/x");
      },
      [](const RootFs& image) { fs::create_directories(image / "etc/.resolv.conf.pons.draft/x"); },
      [](const RootFs& image) { fs::rename(image / "etc", image / "moved"); },
      [](const RootFs& image) {
        fs::rename(image / "etc", image / "moved");
        image.linked("etc", "etc");
      },
      [](const RootFs& image) {
        fs::rename(image / "etc", image / "moved");
        image.linked(std::string(300, 'a'), "etc");
      },
      [](const RootFs& image) {
        for (const char* name : {"resolv.conf", ".resolv.conf.pons"}) {
          const std::string path = image / (std::string{"etc/"} + name);
          fs::remove(path);
          fs::create_directories(path + "/x");
        }
      },
      [](const RootFs& image) { image.readOnly(); },
      [](const RootFs& image) {
        outputOf({"chattr", "+i", image / "etc/resolv.conf"});
      },
      [](const RootFs& image) {
        outputOf({"chattr", "+a", image / "etc"});
      },
      [](const RootFs& image) {
        REQUIRE(umount2(image.path().c_str(), MNT_DETACH) == 0);
        fs::remove(image.path());
      },
  };
  for (std::size_t which = 0; which < mischief.size(); ++which) {
    CAPTURE(which);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    Bench bench;
    bench.image.with("the image's");
    bench.mustApply();
    mischief[which](bench.image);
    bench.mustUndo();
  }
}

TEST_CASE("a root that is gone together with the mount in it is no failure, and the ledger's file goes") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Bench bench;
  bench.image.with("the image's").readOnly();
  bench.mustApply();
  REQUIRE(umount2(bench.image.path().c_str(), MNT_DETACH) == 0);
  fs::remove(bench.image.path());
  bench.mustUndo();
  CHECK(dumpLedger() == "");
}

TEST_CASE("a mount of somebody else over the file is not taken away, and said to be in the way") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Bench bench;
  bench.image.with("the image's").readOnly();
  bench.mustApply();
  std::ofstream{"/run/theirs"} << "theirs";
  const std::string path = bench.image / "etc/resolv.conf";
  REQUIRE(mount("/run/theirs", path.c_str(), nullptr, MS_BIND, nullptr) == 0);
  const auto undone = bench.step->undo(bench.host);
  REQUIRE(undone.failedWith(EBUSY));
  CHECK(undone.error().message.find(path) != std::string::npos);
  CHECK(bench.image.resolvConf() == "theirs");
  REQUIRE(umount2(path.c_str(), 0) == 0);
  bench.mustUndo();
  CHECK(bench.image.resolvConf() == "the image's");
}

TEST_CASE("what a container changed of its file is noticed, and repair brings it back") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Bench bench;
  bench.image.with("the image's");
  const std::string before = bench.image.dump();
  bench.mustApply();
  for (const std::string& content : {std::string{"changed\n"}, std::string{}, kFile + "options debug\n"}) {
    std::ofstream{bench.image / "etc/resolv.conf"} << content;
    CHECK(bench.step->verify(bench.host).failedWith(pons::kBroken));
    REQUIRE(bench.step->repair(bench.host).ok());
    CHECK(bench.image.resolvConf() == kFile);
  }
  bench.mustUndo();
  CHECK(bench.image.dump() == before);
}

TEST_CASE("W65: a container that swaps its /etc for a symlink to the host's meanwhile gets nothing out of it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Bench bench;
  fs::create_directory("/run/outside");
  std::ofstream{"/run/outside/resolv.conf"} << "the host's";
  bench.image.linked("/run/outside", "trap");
  const std::string etc = bench.image / "etc";
  const std::string trap = bench.image / "trap";
  {
    const ForkedProcess swapping{[&] {
      for (;;) syscall(SYS_renameat2, AT_FDCWD, etc.c_str(), AT_FDCWD, trap.c_str(), RENAME_EXCHANGE);
      return 0;
    }};
    int applied = 0;
    for (int round = 0; round < 2000; ++round) {
      if (bench.step->apply(bench.host)) ++applied;
      CHECK(bench.step->undo(bench.host).ok());
    }
    CHECK(applied > 0);
  }
  CHECK(contentOf("/run/outside/resolv.conf") == "the host's");
  CHECK(std::distance(fs::directory_iterator{"/run/outside"}, {}) == 1);
}
