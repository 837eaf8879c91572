// ponsctl policy: of sample attachments, and of running containers.
#include "plugin/ctl/policy.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <list>
#include <set>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/tracer.h"
#include "tests/support/traffic.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

const std::string kTo443 = R"({"allowedCidrs": ["192.0.2.0/24"], "allowedTcpPorts": [443]})";
const std::string kTo80 = R"({"allowedCidrs": ["192.0.2.2", "2001:db8:1::/64"], "allowedTcpPorts": [80]})";

Network limited(const std::string& policy = kTo443) {
  return {"demo", R"("ipam": {"subnet": "10.42.0.0/24"}, "egressPolicy": )" + policy};
}

std::vector<std::string> argumentsOf(const std::string& container, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{PONSCTL_BINARY, "policy", container, "-"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

RunOptions reading(const std::string& policy) { return {.environment = std::vector<std::string>{}, .input = policy}; }

Outcome set(const std::string& container, const std::string& policy, const std::vector<std::string>& more = {}) {
  return run(argumentsOf(container, more), reading(policy));
}

void mustSet(const std::string& container, const std::string& policy, const std::vector<std::string>& more = {}) {
  const Outcome outcome = set(container, policy, more);
  REQUIRE_MESSAGE(outcome.ok(), outcome.err);
}

std::string rules() { return outputOf({"nft", "-s", "list", "ruleset"}); }

/// The ports of TCP that the policy of each interface allows, by ponsctl.
std::string portsOf(const std::string& container) {
  std::string ports;
  const auto document = jsonOf(tool({"policy", container, "--json"}));
  for (const auto& one : document["attachments"].items()) ports += one["egressPolicy"]["allowedTcpPorts"].text();
  return ports;
}

/// A host with servers outside, at the ports 80 and 443 of TCP, and 53 and 80 of UDP.
struct Outside {
  std::string place;
  std::list<Server> servers = {};

  explicit Outside(FakeHost& host) : place(host.addOutside()) {
    for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{443}}) {
      servers.emplace_back(place, Transport::Tcp, endpoint("192.0.2.2", port), "web");
    }
    servers.emplace_back(place, Transport::Udp, endpoint("192.0.2.2", 53), "name");
  }
};

int asked(const std::string& container, std::uint16_t port) {
  return errorOfAsking("/run/netns/" + container, Transport::Tcp, endpoint("192.0.2.2", port));
}

/// That of kTo443 or that of kTo80.
void checkReaches(const std::string& container, std::uint16_t port) {
  CAPTURE(container);
  CHECK(asked(container, port) == 0);
  CHECK(asked(container, port == 80 ? 443 : 80) == ECONNREFUSED);
}

bool hasFilter() { return std::filesystem::exists("/proc/sys/net/bridge"); }

std::vector<pons::Attachment> samples() {
  pons::Attachment policy = attachmentOf(keyOf(idOf(0)), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}});
  policy.pod = "default/web-0";
  policy.egress = pons::EgressPolicy{.destinations = {prefix("192.0.2.0/24"), prefix("2001:db8::/32")},
                                     .tcpPorts = {443, 8443},
                                     .udpPorts = {},
                                     .nameservers = {ip("10.42.0.1")}};
  pons::Attachment denied = attachmentOf(keyOf(idOf(0), "web", "eth1"), {});
  denied.egress = pons::EgressPolicy{{}, {}, {}, {}, false};
  denied.onDeny = pons::OnDeny::Drop;
  return {policy, denied, attachmentOf(keyOf(idOf(0), "web", "eth2"), {})};
}

}  // namespace

TEST_CASE("ponsctl policy: the policies of a container as text and as JSON") {
  checkGolden("policy.json", policyJson(samples()));
  const std::string text = viewed(policyJson(samples()), policyText, kNarrow);
  checkGolden("policy-80.txt", text);
  checkWidth(text, 80);
}

TEST_CASE("On a host: ponsctl policy replaces the policy of one container, and CHECK, repair and DEL follow") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  const Outside outside{host};
  const Unchanged unchanged{host};
  const Network demo = [&] {
    Network network = limited();
    for (const char* container : {"c1", "c2", "c3"}) network.attach(host, container);
    return network;
  }();
  for (const char* container : {"c1", "c2", "c3"}) checkReaches(container, 443);
  mustSet("c2", kTo80);
  checkReaches("c1", 443);
  checkReaches("c2", 80);
  setContent("/run/policy.json", kTo80);
  CHECK(tool({"policy", "c3", "/run/policy.json"}).ok());
  std::filesystem::remove("/run/policy.json");
  checkReaches("c3", 80);
  demo.checkAll();
  CHECK(tool({"check"}).ok());

  outputOf({"nft", "flush", "ruleset"});
  CHECK(repair().ok());
  checkReaches("c1", 443);
  checkReaches("c2", 80);
  mustSet("c2", kTo443);
  checkReaches("c2", 443);
  demo.checkAll();
  for (const char* container : {"c2", "c1", "c3"}) CHECK(demo.del(container).ok());
}

TEST_CASE("On a host: a new policy is about new connections; established ones continue") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  const Outside outside{host};
  Network demo = limited(R"({"allowedCidrs": ["192.0.2.2"]})");
  const std::string address = demo.attach(host, "c1");
  const auto name = endpoint("192.0.2.2", 53);
  const auto from = [&](std::uint16_t port) { return AskOptions{.source = endpoint(address, port)}; };
  CHECK(ask("/run/netns/c1", Transport::Udp, name, from(6000)));
  for (const char* policy : {"{}", R"({"allowedCidrs": ["198.51.100.0/24"]})"}) {
    CAPTURE(policy);
    mustSet("c1", policy);
    CHECK(ask("/run/netns/c1", Transport::Udp, name, from(6000)));
    CHECK(errorOfAsking("/run/netns/c1", Transport::Udp, name, from(6001)) == EHOSTUNREACH);
    CHECK(asked("c1", 80) == ECONNREFUSED);
  }
  mustSet("c1", R"({"allowedCidrs": ["0.0.0.0/0", "::/0"]})");
  CHECK(asked("c1", 80) == 0);
  CHECK(ask("/run/netns/c1", Transport::Udp, name, from(6001)));
}

TEST_CASE("On a host: ponsctl policy replaces what something else has changed, by the whole of the tables") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  const Outside outside{host};
  for (const char* container : {"c1", "c2"}) limited().attach(host, container);
  for (const char* damage : {"nft flush ruleset", "nft delete table ip pons", "nft flush set ip pons egress_sources",
                             "nft flush map ip pons egress_denied"}) {
    CAPTURE(damage);
    mustSet("c1", kTo443);
    shell(damage);
    mustSet("c1", kTo80);
    checkReaches("c1", 80);
    checkReaches("c2", 443);
    CHECK(tool({"check"}).ok());
  }
}

TEST_CASE("On a host: a wrong policy, or none to replace, is an error that changes nothing") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  Network demo = limited();
  for (const char* container : {"c1", "c2"}) demo.attach(host, container);
  Network open{"open", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  open.attach(host, "c3");
  const std::string before = rules() + ledgerText();
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"{", "standard input: "},
      {"[]", "standard input: "},
      {R"({"allowedCidr": []})", "egressPolicy.allowedCidr"},
      {R"({"egressPolicy": {}})", "not a key of an egress policy"},
      {R"({"allowedCidrs": ["10.0.0.0/33"]})", "egressPolicy.allowedCidrs[0]"},
      {R"({"allowedTcpPorts": [443, 0]})", "egressPolicy.allowedTcpPorts[1]"},
      {R"({"logDenied": "no"})", "egressPolicy.logDenied"}};
  for (const auto& [policy, words] : wrong) {
    CAPTURE(policy);
    const Outcome outcome = set("c1", policy);
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.out.empty());
    CHECK_MESSAGE(contains(outcome.err, words), outcome.err);
  }
  CHECK(contains(set("c3", kTo80).err, "without an egress policy"));
  CHECK(contains(set("c7", kTo80).err, "nothing on record is called \"c7\""));
  CHECK(contains(set("demo", kTo80).err, "several containers"));
  CHECK(contains(set("c1", kTo80, {"--network", "open"}).err, "no such interface"));
  CHECK(contains(set("c1", kTo80, {"--ifname", "eth1"}).err, "no such interface"));
  CHECK(contains(tool({"policy", "c1", "/run/none.json"}).err, "cannot open /run/none.json"));
  CHECK(tool({"policy"}).exitCode == 2);
  CHECK(contains(tool({"policy", "c3"}).out, "none"));
  CHECK(rules() + ledgerText() == before);
}

TEST_CASE("On a host: a policy is that of all interfaces of the container, or of one") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  Network demo = limited();
  demo.attach(host, "c1");
  const Network web{"web", R"("ipam": {"subnet": "10.43.0.0/24"}, "egressPolicy": {"allowedCidrs": ["10.0.0.0/8"],
                           "allowedTcpPorts": [22]})"};
  const Network open{"open", R"("ipam": {"subnet": "10.44.0.0/24"})"};
  Subject subject = subjectOf("c1");
  subject.ifName = "eth1";
  resultOf(add(web.config(), subject));
  subject.ifName = "eth2";
  resultOf(add(open.config(), subject));
  CHECK(portsOf("c1") == "[443]null[22]");  // by network: demo, open, web
  mustSet("c1", kTo80, {"--network", "web"});
  CHECK(portsOf("c1") == "[443]null[80]");
  mustSet("c1", kTo443, {"--ifname", "eth1"});
  CHECK(portsOf("c1") == "[443]null[443]");
  mustSet("c1", kTo80);
  CHECK(portsOf("c1") == "[80]null[80]");
  CHECK(tool({"check"}).ok());
}

TEST_CASE("On a host: what ponsctl policy prints is a policy that it reads, DNS and the age of the record stay") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"}, "dns": {"nameservers": ["192.0.2.53", "fd00::53"]},
                          "egressPolicy": )" +
                           kTo443};
  demo.attach(host, "c1");
  const auto time = std::filesystem::last_write_time(recordOf(demo, "c1"));
  for (const std::string& policy : {kTo80, kTo443, std::string{R"({"allowDns": true, "logDenied": false})"}}) {
    CAPTURE(policy);
    mustSet("c1", policy);
    const std::string before = rules() + ledgerText();
    CHECK(contains(before, "fd00::53"));
    const auto document = jsonOf(tool({"policy", "c1", "--json"}));
    mustSet("c1", document["attachments"].items().at(0)["egressPolicy"].text());
    CHECK(rules() + ledgerText() == before);
  }
  CHECK(std::filesystem::last_write_time(recordOf(demo, "c1")) == time);
}

TEST_CASE("On a host: ponsctl policy killed at any system call: repair makes the kernel what the record says") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  if (!canTrace()) return FakeHost::countSkip("needs ptrace");
  const Outside outside{host};
  Network demo = limited();
  for (const char* container : {"c1", "c2"}) demo.attach(host, container);
  const auto traced = [](const FaultInjection& fault) {
    return runTraced(argumentsOf("c1", {}), reading(kTo80), fault);
  };
  const TracedOutcome whole = traced({});
  REQUIRE_MESSAGE(whole.outcome.ok(), whole.outcome.err);
  std::set<std::string> seen;
  for (std::size_t at = 2; at <= whole.calls.size(); ++at) {
    if (!whole.calls[at - 2].mayChange) continue;  // as before that call
    CAPTURE(at);
    mustSet("c1", kTo443);
    REQUIRE(traced({.kind = FaultInjection::Kind::Kill, .at = at}).outcome.signal == SIGKILL);
    CHECK(repair().ok());
    CHECK(tool({"check"}).ok());
    const std::string ports = portsOf("c1");
    checkReaches("c1", ports == "[80]" ? 80 : 443);
    checkReaches("c2", 443);
    seen.insert(ports);
  }
  CHECK(seen == std::set<std::string>{"[443]", "[80]"});
  mustSet("c1", kTo80);
  checkReaches("c1", 80);
}
