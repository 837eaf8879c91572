#include "tests/support/fake_host.h"

#include <climits>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "netlib/os/sysctl.h"

#include "tests/support/process.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

std::string linkOf(const char* path) { return std::filesystem::read_symlink(path).string(); }

}  // namespace

TEST_CASE("A fake host has its own network and mounts, and the test returns to its namespaces") {
  const std::string netns = linkOf("/proc/self/ns/net");
  const std::string mounts = linkOf("/proc/self/ns/mnt");
  const std::filesystem::path directory = std::filesystem::current_path();
  {
    REQUIRE_FAKE_HOST(host);
    CHECK(linkOf("/proc/self/ns/net") != netns);
    CHECK(linkOf("/proc/self/ns/mnt") != mounts);
    CHECK(std::filesystem::current_path() == directory);
    CHECK(outputOf({"ip", "-o", "link"}).find("lo: <LOOPBACK,UP") != std::string::npos);
    std::ofstream{"/run/only-here"} << "x";
  }
  CHECK(linkOf("/proc/self/ns/net") == netns);
  CHECK(linkOf("/proc/self/ns/mnt") == mounts);
  CHECK(std::filesystem::current_path() == directory);
  CHECK(!std::filesystem::exists("/run/only-here"));
}

TEST_CASE("Namespaces of a fake host are apart from it and found by ip") {
  REQUIRE_FAKE_HOST(host);
  const std::string path = host.addNamespace("c1");
  CHECK(path == "/run/netns/c1");
  const std::string here = linkOf("/proc/thread-self/ns/net");
  CHECK(host.inside(path, [] { return linkOf("/proc/thread-self/ns/net"); }) != here);
  CHECK(linkOf("/proc/thread-self/ns/net") == here);
  CHECK(outputOf({"ip", "-n", "c1", "-o", "link"}).find("lo: <LOOPBACK>") != std::string::npos);
  host.removeNamespace(path);
  CHECK(!std::filesystem::exists(path));
}

TEST_CASE("The dump sees every kind of change and is equal once that is undone") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  const std::filesystem::path state = "/run/pons";
  const std::string before = host.dump(state);
  const auto seesAndForgets = [&](const std::vector<std::string>& change, const std::vector<std::string>& undo) {
    CAPTURE(change);
    outputOf(change);
    CHECK(host.dump(state) != before);
    outputOf(undo);
    CHECK(host.dump(state) == before);
  };
  seesAndForgets({"ip", "link", "add", "br0", "up", "type", "bridge"}, {"ip", "link", "del", "br0"});
  seesAndForgets({"ip", "link", "set", "uplink", "mtu", "1400"}, {"ip", "link", "set", "uplink", "mtu", "1500"});
  seesAndForgets({"ip", "addr", "add", "10.1.1.1/24", "dev", "uplink"},
                 {"ip", "addr", "del", "10.1.1.1/24", "dev", "uplink"});
  seesAndForgets({"ip", "addr", "add", "2001:db8:7::1/64", "dev", "uplink", "nodad"},
                 {"ip", "addr", "del", "2001:db8:7::1/64", "dev", "uplink"});
  seesAndForgets({"ip", "route", "add", "10.9.0.0/16", "via", "192.0.2.2"}, {"ip", "route", "del", "10.9.0.0/16"});
  seesAndForgets({"ip", "-6", "rule", "add", "pref", "7", "table", "9"}, {"ip", "-6", "rule", "del", "pref", "7"});
  seesAndForgets({"tc", "qdisc", "add", "dev", "uplink", "ingress"},
                 {"tc", "qdisc", "del", "dev", "uplink", "ingress"});
  seesAndForgets({"nft", "add table ip pons"}, {"nft", "delete table ip pons"});
  seesAndForgets({"mkdir", state}, {"rmdir", state});
  REQUIRE(netlib::sysctl::write("net/ipv4/conf/uplink/route_localnet", "1").ok());
  CHECK(host.dump(state) != before);
  REQUIRE(netlib::sysctl::write("net/ipv4/conf/uplink/route_localnet", "0").ok());
  CHECK(host.dump(state) == before);
}

TEST_CASE("The dump of two hosts that were made alike is the same") {
  const auto dumpOfNewHost = []() -> std::string {
    const FakeHost host;
    outputOf({"ip", "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge"});
    outputOf({"ip", "link", "add", "v0", "address", "02:00:00:00:00:02", "up", "master", "br0", "type", "veth", "peer",
              "name", "v1", "address", "02:00:00:00:00:03"});
    outputOf({"ip", "link", "set", "v1", "up"});
    return host.dump();
  };
  if (!FakeHost::possible()) return FakeHost::countSkip();
  CHECK(dumpOfNewHost() == dumpOfNewHost());
}

TEST_CASE("The dump does not depend on packets, carrier and time") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  outputOf({"nft", "add table ip t; add chain ip t c { type filter hook input priority 0; }; add rule ip t c counter"});
  const std::string before = host.dump();
  const Server server{outside, Transport::Udp, endpoint("192.0.2.2", 53), "dns"};
  REQUIRE(ask(kHere, Transport::Udp, endpoint("192.0.2.2", 53)));
  outputOf({"ip", "-n", "outside", "link", "set", "uplink", "down"});
  CHECK(host.dump() == before);
}

TEST_CASE("The dump of a tree has names, modes, link targets and contents") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directories("/run/pons/ports");
  std::ofstream{"/run/pons/record"} << "one";
  const std::string before = dumpTree("/run/pons");
  CHECK(before.find("600") == std::string::npos);
  std::filesystem::permissions("/run/pons/record", std::filesystem::perms{0600});
  CHECK(dumpTree("/run/pons").find("600 /run/pons/record\none\n") != std::string::npos);
  std::filesystem::create_symlink("../record", "/run/pons/ports/80");
  CHECK(dumpTree("/run/pons").find("/run/pons/ports/80 -> ../record\n") != std::string::npos);
  CHECK(dumpTree("/run/nothing").empty());
}

TEST_CASE("The outside answers over the uplink, and sees the host's address") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    const Server ipv4{outside, transport, endpoint("192.0.2.2", 80), "web"};
    const Server ipv6{outside, transport, endpoint("2001:db8:1::2", 80), "web6"};
    CHECK(ask(kHere, transport, endpoint("192.0.2.2", 80)) == "web 192.0.2.1");
    CHECK(ask(kHere, transport, endpoint("2001:db8:1::2", 80)) == "web6 2001:db8:1::1");
    CHECK(ask(outside, transport, endpoint("192.0.2.2", 80)) == "web 192.0.2.2");
    CHECK(ask(kHere, transport, endpoint("192.0.2.2", 80), {.source = endpoint("192.0.2.1", 4000)}) == "web 192.0.2.1");
    CHECK(!ask(kHere, transport, endpoint("192.0.2.2", 81)));
    CHECK(!ask(kHere, transport, endpoint("192.0.2.99", 80), {.source = {}, .timeout = std::chrono::milliseconds{50}}));
  }
}

TEST_CASE("A program gets its input and environment, and its exit status is reported") {
  const Outcome echo = run({"cat"}, {.environment = {}, .input = "hello"});
  CHECK(echo.ok());
  CHECK(echo.out == "hello");
  CHECK(run({"env"}, {.environment = std::vector<std::string>{"A=1", "B=two words"}, .input = {}}).out ==
        "A=1\nB=two words\n");
  const Outcome shell = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  CHECK(shell.exitCode == 3);
  CHECK(shell.out == "out\n");
  CHECK(shell.err == "err\n");
  CHECK(run({"/no/such/program"}).exitCode == 127);
  CHECK(run({"sh", "-c", "kill -9 $$"}).signal == SIGKILL);
  const Outcome slow = run({"sleep", "60"}, {.environment = {}, .input = {}, .timeout = std::chrono::milliseconds{20}});
  CHECK(slow.timedOut);
  CHECK(slow.exitCode == -1);
  const std::string large(5'000'000, 'x');
  CHECK(run({"cat"}, {.environment = {}, .input = large}).out == large);
}

TEST_CASE("A forked child ends on its own") {
  CHECK(runForked([] { return 7; }).exitCode == 7);
  CHECK(runForked([]() -> int { _exit(9); }).exitCode == 9);
  CHECK(runForked([] { return raise(SIGKILL); }).signal == SIGKILL);
}
