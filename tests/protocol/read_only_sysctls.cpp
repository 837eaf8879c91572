// /proc/sys mounted read-only, as in most containers and sandboxes: what is as wanted needs no writing, what containers
// work without is left and logged, and what they need is an error that names it.
#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

/// For as long as it lives.
class ReadOnlySysctls {
 public:
  ReadOnlySysctls() { shell("mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"); }
  ~ReadOnlySysctls() { run({"umount", "/proc/sys"}); }
  ReadOnlySysctls(const ReadOnlySysctls&) = delete;
  ReadOnlySysctls& operator=(const ReadOnlySysctls&) = delete;
};

constexpr const char* kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";
constexpr const char* kIpv4 = R"("ipam": {"subnet": "10.42.0.0/24"})";
constexpr const char* kLayer2 = R"("isGateway": false, "ipMasq": false, "ipam": {})";

void enableForwarding() { shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"); }

Outcome addTo(const Network& network, const std::string& container, const std::string& more = {}) {
  return add(network.config(more), subjectOf(container));
}

void checkCheck(const Network& network, const std::string& container, const Outcome& added) {
  checkSilent(check(withPrevious(network.config(), added.out), subjectOf(container)));
}

}  // namespace

TEST_CASE("A read-only /proc/sys: containers work where forwarding is on, and what is left is named") {
  struct Case {
    const char* members;
    std::vector<std::string> left;  ///< of the container's interface
  };
  for (const Case& one : {Case{kDual,
                               {"net.ipv6.conf.eth0.accept_dad is 1 and /proc/sys is read-only: set it to 0",
                                "net.ipv6.conf.eth0.ndisc_notify is 0"}},
                          Case{kIpv4, {}}, Case{kLayer2, {}}}) {
    CAPTURE(one.members);
    REQUIRE_FAKE_HOST(host);
    for (const char* name : {"c1", "c2"}) host.addNamespace(name);
    enableForwarding();
    const ReadOnlySysctls readOnly;
    const Unchanged unchanged{host};
    const Network demo{"demo", one.members};
    const Outcome first = addTo(demo, "c1", one.members == kLayer2 ? "" : publishing({{8080, 80}}));
    resultOf(first);
    CHECK(contains(first.err, "sysctl-left"));
    CHECK(contains(first.err, "net.ipv6.conf.pons-demo.accept_ra is 1 and /proc/sys is read-only"));
    const Outcome second = addTo(demo, "c2");
    resultOf(second);
    CHECK_FALSE(contains(second.err, "pons-demo"));
    for (const std::string& left : one.left) {
      CHECK_MESSAGE(contains(first.err, left), first.err);
      CHECK_MESSAGE(contains(second.err, left), second.err);
    }
    CHECK_FALSE(contains(second.err, "disable_ipv6"));
    // Set by netlink
    if (one.members != kLayer2) shell("grep -q 1 /proc/sys/net/ipv4/conf/pons-demo/route_localnet");
    checkCheck(demo, "c1", first);
    checkCheck(demo, "c2", second);
    checkSilent(demo.status());
    CHECK(repair({"--dry-run"}).ok());
    checkSilent(demo.del("c1"));
    checkCheck(demo, "c2", second);
    checkSilent(demo.del("c2"));
  }
}

TEST_CASE("A read-only /proc/sys: forwarding that is off is an error which names it, and nothing is changed") {
  for (const bool ipv4IsOn : {false, true}) {
    CAPTURE(ipv4IsOn);
    REQUIRE_FAKE_HOST(host);
    host.addOutside();  // with accept_ra
    host.addNamespace("c1");
    if (ipv4IsOn) shell("sysctl -qw net.ipv4.ip_forward=1");
    const std::string needed = ipv4IsOn ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward";
    const Unchanged unchanged{host};
    const Network demo{"demo", kDual};
    {
      const ReadOnlySysctls readOnly;
      checkError(addTo(demo, "c1"), ErrorCode::Io,
                 {needed + " is 0 and /proc/sys is read-only: set it to 1 outside of this container"});
      CHECK(ledgerText().empty());
      checkSilent(demo.del("c1"));
      resultOf(addTo(Network{"demo", kLayer2}, "c1"));  // needs no forwarding
      checkSilent(demo.del("c1"));
    }
    resultOf(addTo(demo, "c1"));
    checkSilent(demo.del("c1"));
  }
}

TEST_CASE("A read-only /proc/sys: IPv6 that the container's namespace has off is an error which names it") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  shell("ip netns exec c1 sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
  enableForwarding();
  const Unchanged unchanged{host};
  const Network demo{"demo", kDual};
  {
    const ReadOnlySysctls readOnly;
    checkError(addTo(demo, "c1"), ErrorCode::Io, {"net.ipv6.conf.eth0.disable_ipv6 is 1 and /proc/sys is read-only"});
    resultOf(addTo(Network{"demo", kIpv4}, "c1"));
    checkSilent(demo.del("c1"));
  }
  resultOf(addTo(demo, "c1"));
  checkSilent(demo.del("c1"));
}

TEST_CASE("/proc/sys becomes read-only after an ADD: DEL succeeds, and names what it could not restore") {
  REQUIRE_FAKE_HOST(host);
  for (const char* name : {"c1", "c2"}) host.addNamespace(name);
  const Network demo{"demo", kDual};
  const Outcome first = addTo(demo, "c1", publishing({{8080, 80}}));
  resultOf(first);
  const ReadOnlySysctls readOnly;
  const Outcome second = addTo(demo, "c2");
  resultOf(second);
  checkCheck(demo, "c1", first);
  checkCheck(demo, "c2", second);
  const Outcome other = demo.del("c1");
  checkSilent(other);
  CHECK_FALSE(contains(other.err, "sysctl-left"));
  const Outcome last = demo.del("c2");
  checkSilent(last);
  CHECK(contains(last.err, "net.ipv4.ip_forward is 1 and /proc/sys is read-only: set it to 0"));
  CHECK(contains(last.err, "net.ipv6.conf.all.forwarding is 1 and"));
  CHECK(ledgerText().empty());
  checkSilent(demo.del("c2"));
  checkSilent(demo.gc());
  resultOf(addTo(demo, "c1"));
  checkSilent(demo.del("c1"));
}

TEST_CASE("/proc/sys becomes writable after an ADD: the other containers see no difference") {
  REQUIRE_FAKE_HOST(host);
  for (const char* name : {"c1", "c2"}) host.addNamespace(name);
  enableForwarding();
  const Unchanged unchanged{host};
  const Network demo{"demo", kDual};
  Outcome first;
  {
    const ReadOnlySysctls readOnly;
    first = addTo(demo, "c1");
    resultOf(first);
  }
  const Outcome second = addTo(demo, "c2", publishing({{8080, 80}}));
  resultOf(second);
  CHECK_FALSE(contains(second.err, "sysctl-left"));
  checkCheck(demo, "c1", first);
  checkCheck(demo, "c2", second);
  CHECK(repair().exitCode == 0);
  checkSilent(demo.del("c2"));
  checkSilent(demo.del("c1"));
}

TEST_CASE("A read-only /proc/sys: tuning needs what it was asked for, unless it is so already") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  enableForwarding();
  shell("ip netns exec c1 sysctl -qw net.core.somaxconn=321 net.ipv4.ip_local_port_range='40000 40100'");
  const Plugins plugins;
  Chain bridge{{{"bridge", R"("isGateway": true, "ipam": {"subnet": "10.42.0.0/24"})"}}};
  const std::string previous = bridge.add();
  const Unchanged unchanged{host};
  const auto tuning = [&](const std::string& verb, const std::string& value) {
    const Link link{"tuning", R"("sysctl": {"net.core.somaxconn": ")" + value +
                                  R"(", "net.ipv4.ip_local_port_range": "40000 40100"})"};
    return Plugins::call("tuning", verb, withPrevious(link.config(), previous));
  };
  {
    const ReadOnlySysctls readOnly;
    CHECK(tuning("ADD", "321").ok());
    checkSilent(tuning("CHECK", "321"));
    checkSilent(tuning("DEL", "321"));
    checkError(tuning("ADD", "123"), ErrorCode::Io, {"net.core.somaxconn is 321 and /proc/sys is read-only"});
    checkSilent(tuning("DEL", "123"));
  }
  CHECK(tuning("ADD", "123").ok());
  const ReadOnlySysctls readOnly;
  const Outcome deleted = tuning("DEL", "123");
  checkSilent(deleted);
  CHECK(contains(deleted.err, "net.core.somaxconn is 123 and /proc/sys is read-only: set it to 321"));
}
