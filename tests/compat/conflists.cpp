// Configurations as other projects ship them, unmodified, through libcni: pons under the names of the reference
// plugins, side by side with these on an equal second host.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/compat/justified.h"
#include "tests/compat/visit.h"

using namespace support;

namespace {

const std::string kPorts =
    R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                         {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}],
        "bandwidth": {"ingressRate": 80000000, "ingressBurst": 8000000}})";
// As containerd's go-cni writes it: its structures name no JSON keys.
const std::string kPortsOfContainerd =
    R"({"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}],
        "io.kubernetes.cri.pod-annotations": null})";

void checkTraffic(const Conflist& list, const Facts& facts) {
  const auto has = [&](const std::string& way, const std::string& answer) {
    const std::string fact = "traffic " + way + " = " + answer;
    const bool found = std::ranges::any_of(facts, [&](const std::string& f) { return f.starts_with(fact); });
    CHECK_MESSAGE(found, fact);
  };
  has("container to outside", list.masquerades() ? "far 192.0.2.1" : "far 1");
  has("container to gateway", "near ");
  has("container to container", "web ");
  has("host to container", "web ");
  if (!list.declares("portMappings")) return;
  has("outside to published port", "web 192.0.2.2");
  has("host to published port", "web ");
  has("host to 127.0.0.1", "web ");
  has("neighbour to published port", "web ");
}

void compare(const Conflist& list, const std::string& capabilities) {
  CAPTURE(list.file);
  CAPTURE(list.version);
  const Visit reference = visit(kReferencePlugins, list, capabilities);
  const Visit ours = visit(ourPlugins(), list, capabilities);
  CHECK(unjustified(reference.facts, ours.facts, knownDifferences()) == "");
  checkTraffic(list, ours.facts);
  if (ourPlugins() != kReferencePlugins) CHECK(ours.left == "");
}

void compareAll(const std::vector<std::string>& files) {
  if (!canCompare()) return FakeHost::countSkip();
  for (const std::string& file : files) compare(conflist(file), kPorts);
}

}  // namespace

TEST_CASE("containerd's default network, which is dual stack") { compareAll({"10-containerd-net.conflist"}); }

TEST_CASE("containerd's Go-cased keys publish a port") {
  if (!canCompare()) return FakeHost::countSkip();
  compare(conflist("10-containerd-net.conflist"), kPortsOfContainerd);
}

TEST_CASE("CRI-O's bridge networks, one with an IPv6 /24") {
  compareAll({"10-crio-bridge.conflist", "11-crio-ipv4-bridge.conflist"});
}

TEST_CASE("nerdctl's default network") { compareAll({"nerdctl-bridge.conflist"}); }

TEST_CASE("podman's network, packaged now and formerly, and a created one") {
  compareAll({"87-podman-bridge.conflist", "87-podman-old.conflist", "podman-created.conflist"});
}

TEST_CASE("flannel's delegate, plain and as k3s has it") {
  compareAll({"10-flannel.conflist", "10-flannel-k3s.conflist"});
}

TEST_CASE("kind's network, with bridge in place of ptp") { compareAll({"10-kindnet.conflist"}); }

TEST_CASE("Nomad's network, which begins with loopback and names an admin chain") { compareAll({"nomad.conflist"}); }

TEST_CASE("one list in all protocol versions of the reference plugins") {
  if (!canCompare()) return FakeHost::countSkip();
  for (const char* version : {"0.3.1", "0.4.0"}) compare(conflist("10-kindnet.conflist").at(version), kPorts);
  compare(conflist("11-crio-ipv4-bridge.conflist").at("0.4.0"), kPorts);
}

TEST_CASE("CRI-O's loopback network") {
  if (!canCompare()) return FakeHost::countSkip();
  const Conflist list = conflist("99-loopback.conflist");
  const auto come = [&](const std::string& plugins) {
    Side side{plugins};
    side.ifName = "lo";
    side.configure(list);
    Facts facts = stateOf(side, side.attach(list, "first"));
    for (const char* verb : {"check", "del", "del"}) CHECK(side.call(verb, list, "first").ok());
    return facts;
  };
  CHECK(unjustified(come(kReferencePlugins), come(ourPlugins()), knownDifferences()) == "");
}

TEST_CASE("a hand-written configuration that is no list") {
  if (!canCompare()) return FakeHost::countSkip();
  const Conflist single = conflist("10-bridge.conf");
  const auto come = [&](const std::string& plugins) {
    Side side{plugins};
    const std::string netns = side.host.addNamespace("first");
    const Outcome added = side.callPlugin("ADD", "bridge", single.text, "first");
    REQUIRE_MESSAGE(added.ok(), added.out);
    const Attached first = attachedBy(netns, added.out);
    Facts facts = stateOf(side, first);
    const std::string withResult =
        single.text.substr(0, single.text.rfind('}')) + R"(, "prevResult": )" + added.out + "}";
    CHECK(side.callPlugin("CHECK", "bridge", withResult, "first").out == "");
    // A runtime without a cache hands back no result.
    CHECK(side.callPlugin("DEL", "bridge", single.text, "first").ok());
    CHECK(outputOf({"ip", "-n", "first", "link"}).find("eth0") == std::string::npos);
    return facts;
  };
  CHECK(unjustified(come(kReferencePlugins), come(ourPlugins()), knownDifferences()) == "");
}
