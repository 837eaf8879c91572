// The container's own /etc/resolv.conf: cleanup after crashes and reboots, and changes by the container.
#include <cstdio>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netlib/os/root_directory.h"

#include "tests/kernel/resolv_conf_bench.h"

using namespace support;
namespace fs = std::filesystem;

TEST_CASE("the files that a killed ADD left in a root are removed") {
  const auto inside = [](const ResolvConfBench& bench) {
    return netlib::RootDirectory::open(bench.image.path())->directory("etc").value();
  };
  const std::vector<std::function<void(const ResolvConfBench&)>> stops{
      [&](const ResolvConfBench& bench) { REQUIRE(inside(bench).createFile(".resolv.conf.pons.draft", "half").ok()); },
      [&](const ResolvConfBench& bench) { REQUIRE(inside(bench).link("resolv.conf", ".resolv.conf.pons").ok()); },
      [&](const ResolvConfBench& bench) {
        REQUIRE(inside(bench).createFile(".resolv.conf.pons.draft", kFile).ok());
        REQUIRE(inside(bench).link("resolv.conf", ".resolv.conf.pons").ok());
      }};
  for (const auto& image : {kImages[1], kImages[2]}) {
    for (const auto& stop : stops) {
      if (!FakeHost::possible()) return FakeHost::countSkip();
      ResolvConfBench bench;
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

TEST_CASE("after a reboot, with the root but without the state directory, the image's own file is restored") {
  for (const auto& prepare : kImages) {
    if (!FakeHost::possible()) return FakeHost::countSkip();
    ResolvConfBench bench;
    prepare(bench.image);
    const std::string before = bench.image.dump();
    bench.mustApply();
    bench.attachment.resolvConf->content = "nameserver 192.0.2.1\n";
    bench.mustApply();
    bench.mustUndo();
    CHECK(bench.image.dump() == before);
  }
}

TEST_CASE("no change of the root by a container makes DEL fail") {
  const std::vector<std::function<void(const RootFs&)>> changes{
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
  for (std::size_t which = 0; which < changes.size(); ++which) {
    CAPTURE(which);
    if (!FakeHost::possible()) return FakeHost::countSkip();
    ResolvConfBench bench;
    bench.image.with("the image's");
    bench.mustApply();
    changes[which](bench.image);
    bench.mustUndo();
  }
}

TEST_CASE("a deleted root with its mount is no error, and the file in the state directory is removed") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
  bench.image.with("the image's").readOnly();
  bench.mustApply();
  REQUIRE(umount2(bench.image.path().c_str(), MNT_DETACH) == 0);
  fs::remove(bench.image.path());
  bench.mustUndo();
  CHECK(dumpLedger() == "");
}

TEST_CASE("a foreign mount over the file is kept and reported as EBUSY") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
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

TEST_CASE("a file changed by the container is detected, and repair restores it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
  bench.image.with("the image's");
  const std::string before = bench.image.dump();
  bench.mustApply();
  for (const std::string& content : {std::string{"changed\n"}, std::string{}, kFile + "options debug\n"}) {
    std::ofstream{bench.image / "etc/resolv.conf"} << content;
    CHECK(differencesOf(*bench.step, bench.host) != "");
    REQUIRE(bench.step->repair(bench.host).ok());
    CHECK(bench.image.resolvConf() == kFile);
  }
  bench.mustUndo();
  CHECK(bench.image.dump() == before);
}

TEST_CASE("a container that exchanges its /etc with a symlink concurrently does not reach the host's files") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ResolvConfBench bench;
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
