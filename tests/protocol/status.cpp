// STATUS: whether an ADD could be served, and whether the attachments have what they share, which it heals.
#include <chrono>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "netlib/os/file_lock.h"

#include "tests/protocol/network.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";

}  // namespace

TEST_CASE("STATUS is content with a host that never had a container, and with one that has some; it changes nothing") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  {
    const Unchanged unchanged{host};
    checkSilent(demo.status());
  }
  demo.attach(host, "c1", publishing({{8080, 80}}));
  const Unchanged unchanged{host};
  checkSilent(demo.status());
}

TEST_CASE("STATUS says 50 where the state directory cannot be used") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::vector<std::pair<std::string, std::string>> damages{
      {"mkdir -m 777 /run/pons", "/run/pons is writable by other users"},
      {"mkdir -m 700 /run/pons && chown 12 /run/pons", "/run/pons belongs to user 12"},
      {"mkdir /run/real && ln -s real /run/pons", "symlink"},
      {"touch /run/pons", "/run/pons"},
      {"mkdir /run/pons && mount -t tmpfs -o ro,mode=0700 tmpfs /run/pons", "Read-only"},
      {"mkdir /run/pons && mount -t tmpfs -o mode=0700,size=4k tmpfs /run/pons && echo full > /run/pons/full",
       "cannot write to /run/pons: No space left"},
      {"mkdir /run/pons && mount -t tmpfs -o mode=0700,nr_inodes=1 tmpfs /run/pons",
       "cannot write to /run/pons: No space left"},
  };
  for (const auto& [damage, words] : damages) {
    CAPTURE(damage);
    REQUIRE_FAKE_HOST(host);
    shell(damage);
    checkError(Network{"demo", kIpam}.status(), ErrorCode::NotAvailable, {words});
  }
}

TEST_CASE("A pool full of living containers is no failure of STATUS: the log has the numbers") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/29"})"};
  for (int i = 1; i <= 5; ++i) {
    CHECK(demo.status().err.find("no free address") == std::string::npos);
    demo.attach(host, "c" + std::to_string(i));
  }
  const Unchanged unchanged{host};
  const Outcome status = demo.status();
  checkSilent(status);
  CHECK_MESSAGE(status.err.find("5 of 5 addresses of 10.42.0.0/29") != std::string::npos, status.err);
}

TEST_CASE("STATUS heals what the living attachments of its network share; that of others does not concern it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::vector<std::pair<std::string, std::string>> damages{
      {"nft flush ruleset", "table ip pons"},
      {"nft delete table ip6 pons", "table ip6 pons"},
      {"nft flush chain ip pons postrouting", "postrouting"},
      {"nft flush map ip pons sources", "10.42.0.0/24"},
      {"ip link del pons-demo", "bridge pons-demo is missing"},
      {"ip link set pons-demo down", "bridge pons-demo is down"},
      {"ip addr del 10.42.0.1/24 dev pons-demo", "gateway address 10.42.0.1/24"},
      {"ip addr del fd42::1/64 dev pons-demo", "gateway address fd42::1/64"},
      {"echo 0 > /proc/sys/net/ipv4/ip_forward", "net/ipv4/ip_forward is 0"},
      {"echo 0 > /proc/sys/net/ipv6/conf/all/forwarding", "net/ipv6/conf/all/forwarding is 0"},
      {"echo 0 > /proc/sys/net/ipv4/conf/pons-demo/route_localnet", "route_localnet is 0"},
  };
  FakeHost host;
  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  Network other{"other", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  // What the first one shares is not all: only the last one publishes a port.
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  demo.attach(host, "c3", publishing({{8080, 80}}));
  other.attach(host, "o1");
  for (const auto& [damage, words] : damages) {
    CAPTURE(damage);
    const std::string before = host.dump();
    shell(damage);
    if (damage.find("pons-demo") != std::string::npos) {
      const Unchanged unchanged{host};
      checkSilent(other.status());
    }
    const Outcome status = demo.status();
    CHECK_MESSAGE(status.ok(), status.out);
    CHECK_MESSAGE(status.err.find("repaired: ") != std::string::npos, status.err);
    CHECK_MESSAGE(status.err.find(words) != std::string::npos, status.err);
    const Unchanged unchanged{host};
    checkSilent(demo.status());
    demo.checkAll();
    other.checkAll();
    CHECK(repair({"--dry-run"}).ok());
  }
}

TEST_CASE("STATUS says 51 with the remedy where it cannot heal what living attachments share") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  SUBCASE("another link has the bridge's name") {
    shell("ip link del pons-demo && ip link add pons-demo type veth peer name peer");
    for (int i = 0; i < 2; ++i) {
      checkError(demo.status(), ErrorCode::NotAvailableLimited,
                 {"kind of link pons-demo is veth, expected bridge", "change the configuration"});
    }
    shell("ip link del pons-demo");
  }
  SUBCASE("the sysctl cannot be written") {
    shell(
        "echo 0 > /proc/sys/net/ipv4/ip_forward; mount --bind /proc/sys /proc/sys; "
        "mount -o remount,bind,ro /proc/sys");
    checkError(demo.status(), ErrorCode::NotAvailableLimited, {"net/ipv4/ip_forward is 0", "ponsctl repair"});
    shell("umount /proc/sys");
  }
  checkSilent(demo.status());
  CHECK(repair().exitCode == 0);
  demo.checkAll();
}

TEST_CASE("STATUS waits neither for the host lock nor for a verb that is at work") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1");
  const auto lockOf = [](const std::string& path) {
    return netlib::FileLock::acquire(netlib::UniqueFd{open(path.c_str(), O_RDWR | O_CLOEXEC)}, std::chrono::seconds{1},
                                     path);
  };
  const auto hostLock = lockOf("/run/pons/lock");
  const auto recordLock = lockOf(recordOf(demo, "c1"));
  REQUIRE(hostLock.ok());
  REQUIRE(recordLock.ok());
  const auto start = std::chrono::steady_clock::now();
  checkSilent(demo.status());
  shell("nft flush ruleset");
  checkError(demo.status(), ErrorCode::NotAvailableLimited, {"table ip pons"});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{2});
}

TEST_CASE("A lock is waited for up to lockTimeout, and the error has the PID of the holder") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam + R"(, "lockTimeout": 1)"};
  demo.attach(host, "c1");
  host.addNamespace("c2");
  const std::string self = "PID " + std::to_string(getpid());
  const auto hold = [](const std::string& path) {
    return netlib::FileLock::acquire(netlib::UniqueFd{open(path.c_str(), O_RDWR | O_CLOEXEC)}, std::chrono::seconds{1},
                                     path);
  };
  {
    const auto hostLock = hold("/run/pons/lock");
    REQUIRE(hostLock.ok());
    const Unchanged unchanged{host};
    checkError(add(demo.config(), subjectOf("c2")), ErrorCode::TryAgain, {"host lock /run/pons/lock", self, "1000 ms"});
    checkError(demo.gc(), ErrorCode::TryAgain, {"host lock", self});
  }
  {
    const auto record = hold(recordOf(demo, "c1"));
    REQUIRE(record.ok());
    const Unchanged unchanged{host};
    checkError(demo.del("c1"), ErrorCode::TryAgain, {"container c1 (eth0) of network demo", self});
    checkError(demo.check("c1"), ErrorCode::TryAgain, {"container c1 (eth0) of network demo", self});
    checkError(add(demo.config(), subjectOf("c1")), ErrorCode::TryAgain, {"container c1", self});
  }
  checkSilent(demo.del("c1"));
}

TEST_CASE("A DEL that could not get the host lock is repeated with success") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const Network demo{"demo", kIpam + R"(, "lockTimeout": 1)"};
  resultOf(add(demo.config(publishing({{8080, 80}})), subjectOf("c1")));
  {
    const auto hostLock = netlib::FileLock::acquire(netlib::UniqueFd{open("/run/pons/lock", O_RDWR | O_CLOEXEC)},
                                                    std::chrono::seconds{1}, "the host lock");
    REQUIRE(hostLock.ok());
    checkError(demo.del("c1"), ErrorCode::TryAgain, {"host lock"});
  }
  checkSilent(demo.del("c1"));
}
