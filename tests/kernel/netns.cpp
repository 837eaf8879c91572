#include "netlib/os/netns.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fake_host.h"
#include "tests/support/process.h"

using namespace support;
using netlib::Netns;
using netlib::Result;

namespace {

std::string current() { return std::filesystem::read_symlink("/proc/thread-self/ns/net").string(); }

}  // namespace

TEST_CASE("A namespace is opened by its path and known by device and inode") {
  REQUIRE_FAKE_HOST(host);
  const std::string path = host.addNamespace("c1");
  const auto netns = Netns::open(path);
  REQUIRE(netns.ok());
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK(netns->id() == netlib::NetnsIdentity{status.st_dev, status.st_ino});
  CHECK(Netns::open(path)->id() == netns->id());
  CHECK_FALSE(Netns::open(host.addNamespace("c2"))->id() == netns->id());
}

TEST_CASE("Work inside a namespace happens there, and the thread comes back with its result") {
  REQUIRE_FAKE_HOST(host);
  const auto netns = Netns::open(host.addNamespace("c1"));
  REQUIRE(netns.ok());
  const std::string home = current();

  const auto there = netns->inside([]() -> Result<std::string> { return current(); });
  REQUIRE(there.ok());
  CHECK(*there != home);
  CHECK(*there == "net:[" + std::to_string(netns->id().inode) + "]");
  CHECK(current() == home);

  const auto failed = netns->inside([]() -> Result<> { return netlib::fail(netlib::Cause::Locked, "no"); });
  CHECK(failed.failedWith(netlib::Cause::Locked));
  CHECK(current() == home);

  CHECK_THROWS(static_cast<void>(netns->inside([]() -> Result<> { throw std::runtime_error("from a library"); })));
  CHECK(current() == home);
}

TEST_CASE("A path that is not there is ENOENT") {
  REQUIRE_FAKE_HOST(host);
  const auto netns = Netns::open("/run/netns/nothing");
  REQUIRE(netns.failedWith(ENOENT));
  CHECK(netns.error().message.find("/run/netns/nothing") != std::string::npos);
  CHECK(Netns::open("").failedWith(ENOENT));
}

TEST_CASE("A path that is not the network namespace of a container is refused") {
  REQUIRE_FAKE_HOST(host);
  const auto refused = [](const std::string& path) {
    CAPTURE(path);
    const auto netns = Netns::open(path);
    REQUIRE(netns.failedWith(netlib::Cause::WrongNetns));
    CHECK(netns.error().message.find(path) != std::string::npos);
  };
  SUBCASE("the plugin's own") {
    refused("/proc/self/ns/net");
    refused("/proc/" + std::to_string(getpid()) + "/ns/net");
  }
  SUBCASE("the plugin's own, mounted elsewhere") {
    std::ofstream{"/run/netns/own"} << "";
    REQUIRE(mount("/proc/self/ns/net", "/run/netns/own", nullptr, MS_BIND, nullptr) == 0);
    refused("/run/netns/own");
  }
  SUBCASE("a namespace of another kind") { refused("/proc/self/ns/mnt"); }
  SUBCASE("an ordinary file, which is what an unmounted namespace leaves behind") {
    std::ofstream{"/run/netns/file"} << "";
    refused("/run/netns/file");
  }
  SUBCASE("a directory") { refused("/run/netns"); }
  SUBCASE("another file of /proc") { refused("/proc/self/status"); }
  SUBCASE("a FIFO, without waiting for its writer") {
    REQUIRE(mkfifo("/run/netns/fifo", 0600) == 0);
    refused("/run/netns/fifo");
  }
}

TEST_CASE("A path that refers to a different namespace than before is detected") {
  REQUIRE_FAKE_HOST(host);
  const std::string path = host.addNamespace("c1");
  const auto netns = Netns::open(path);
  REQUIRE(netns.ok());
  CHECK(netns->verifyStillAt(path).ok());

  host.removeNamespace(path);
  CHECK(netns->verifyStillAt(path).failedWith(ENOENT));
  host.addNamespace("c1");
  const auto moved = netns->verifyStillAt(path);
  REQUIRE(moved.failedWith(netlib::Cause::WrongNetns));
  CHECK(moved.error().message.find(path) != std::string::npos);

  CHECK(netns->inside([]() -> Result<std::string> { return current(); }).value() ==
        "net:[" + std::to_string(netns->id().inode) + "]");
}

TEST_CASE("The /proc path of an ended process is gone, while the open descriptor keeps the namespace") {
  REQUIRE_FAKE_HOST(host);
  std::string path;
  std::optional<Netns> netns;
  {
    const ForkedProcess sleeper{[] {
      if (unshare(CLONE_NEWNET) != 0) return 1;
      pause();
      return 0;
    }};
    path = "/proc/" + std::to_string(sleeper.pid()) + "/ns/net";
    for (auto opened = Netns::open(path); !netns; opened = Netns::open(path)) {
      if (opened.ok()) netns = std::move(opened).value();
    }
    CHECK(netns->verifyStillAt(path).ok());
  }
  CHECK(netns->verifyStillAt(path).failedWith(ENOENT));
  CHECK(netns->inside([]() -> Result<> { return {}; }).ok());
}

TEST_CASE("A process that cannot return to its namespace is aborted") {
  REQUIRE_FAKE_HOST(host);
  const std::string path = host.addNamespace("c1");
  const Outcome outcome = runForked([&] {
    const auto netns = Netns::open(path);
    if (!netns.ok()) return 1;
    const auto result = netns->inside([]() -> Result<> {
      // Entering a namespace needs CAP_SYS_ADMIN, and so does going back.
      if (setuid(65534) != 0) return netlib::failErrno("setuid");
      return {};
    });
    return result.ok() ? 2 : 3;
  });
  CHECK(outcome.signal == SIGABRT);
}
