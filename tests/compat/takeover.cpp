// A host on which containers of the reference plugins run when pons replaces them: they keep working, and pons removes
// what the reference made for them.
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include <doctest/doctest.h>

#include "plugin/migration/reference_orphans.h"

#include "tests/compat/reference.h"
#include "tests/support/eventually.h"
#include "tests/support/runtime.h"

using namespace support;
using pons::UnrecordedAttachment;

namespace {

const std::string kPorts = R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                                                {"hostPort": 8081, "containerPort": 81, "protocol": "udp"}],
                               "bandwidth": {"ingressRate": 80000000, "ingressBurst": 8000000,
                                             "egressRate": 80000000, "egressBurst": 8000000}})";

void mustRemove(const UnrecordedAttachment& unrecorded) {
  pons::Host host = openHost();
  const auto removed = pons::removeReferenceOrphans(host, unrecorded);
  REQUIRE_MESSAGE(removed.ok(), removed.error().message);
}

std::size_t tuningBackups() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator{"/run/cni/tuning"}, fs::directory_iterator{}));
}

/// The reference takes iptables from PATH: a directory in front of it chooses the backend.
void useBackend(const std::string& backend) {
  const std::filesystem::path directory = "/run/chosen";
  std::filesystem::create_directory(directory);
  for (const std::string family : {"iptables", "ip6tables"}) {
    for (const std::string suffix : {"", "-save", "-restore"}) {
      const std::string target = "/usr/sbin/" + family + "-" + backend + suffix;
      REQUIRE(std::filesystem::exists(target));
      std::filesystem::create_symlink(target, directory / (family + suffix));
    }
  }
}

struct Path {
  std::string before = getenv("PATH");
  Path() { setenv("PATH", ("/run/chosen:" + before).c_str(), 1); }
  ~Path() { setenv("PATH", before.c_str(), 1); }
};

}  // namespace

TEST_CASE("all that the reference made for a container is removed, in both families and backends") {
  if (!canCompare()) return FakeHost::countSkip();
  for (const std::string backend : {"nft", "legacy"}) {
    CAPTURE(backend);
    Side side{kReferencePlugins};
    useBackend(backend);
    const Path path;
    const Conflist list = conflist("takeover.conflist");
    side.configure(list);
    side.capabilities = kPorts;
    const Attached gone = side.attach(list, "gone");
    side.capabilities = {};
    const Attached stays = side.attach(list, "stays");
    const UnrecordedAttachment first = unrecordedOf(list, gone, "cni0");
    const UnrecordedAttachment second = unrecordedOf(list, stays, "cni0");
    const std::string ofSecond = about(rules(backend), second, stays);
    REQUIRE(about(rules(backend), first, gone) != "");
    REQUIRE(ofSecond != "");
    REQUIRE(links().find("bwp") != std::string::npos);
    REQUIRE(tuningBackups() == 2);

    mustRemove(first);
    CHECK(about(rules(backend), first, gone) == "");
    CHECK(outputOf({"ip", "-n", "gone", "link"}).find("eth0") == std::string::npos);
    CHECK(links().find("bwp") == std::string::npos);
    CHECK(tuningBackups() == 1);
    // The other one's are as they were, and it goes on.
    CHECK(about(rules(backend), second, stays) == ofSecond);
    const Server web{stays.netns, Transport::Tcp, endpoint("0.0.0.0", 80), "web"};
    const Server far{side.outside, Transport::Tcp, endpoint("192.0.2.2", 443), "far"};
    CHECK(ask(kHere, Transport::Tcp, endpoint(stays.addresses[0], 80)).value_or("").starts_with("web "));
    CHECK(ask(stays.netns, Transport::Tcp, endpoint("192.0.2.2", 443)) == "far 192.0.2.1");

    mustRemove(second);
    CHECK(about(rules(backend), second, stays) == "");
    CHECK(links().find("veth") == std::string::npos);
    CHECK(tuningBackups() == 0);
    // The reference's bridge gets a route for its IPv6 address once that has been tested for duplicates.
    REQUIRE(eventually([] { return outputOf({"ip", "-6", "addr", "show", "tentative"}).empty(); }));
    // Nothing is left to do, and nothing is done.
    const std::string clean = side.host.dump();
    mustRemove(first);
    CHECK(side.host.dump() == clean);
  }
}

TEST_CASE("without namespace and addresses, the attachment is found in the comments of the reference's rules") {
  if (!canCompare()) return FakeHost::countSkip();
  Side side{kReferencePlugins};
  const Conflist list = conflist("takeover.conflist");
  side.configure(list);
  side.capabilities = kPorts;
  const Attached gone = side.attach(list, "gone");
  UnrecordedAttachment unrecorded = unrecordedOf(list, gone, "cni0");
  unrecorded.netnsPath = "";
  REQUIRE(about(rules("nft"), unrecorded, gone) != "");
  mustRemove(unrecorded);
  CHECK(about(rules("nft"), unrecorded, gone) == "");
  // No interface is removed from a namespace that was not given.
  CHECK(outputOf({"ip", "-n", "gone", "link"}).find("eth0") != std::string::npos);
}

TEST_CASE("only a veth of this network's bridge is taken out of the container") {
  if (!canCompare()) return FakeHost::countSkip();
  Side side{kReferencePlugins};
  const Conflist list = conflist("11-crio-ipv4-bridge.conflist");
  side.configure(list);
  const Attached attached = side.attach(list, "here");
  const auto isThere = [] { return outputOf({"ip", "-n", "here", "link"}).find("eth0") != std::string::npos; };
  UnrecordedAttachment unrecorded = unrecordedOf(list, attached, "cni0");

  unrecorded.bridge = netlib::IfName::parse("cni1").value();
  mustRemove(unrecorded);
  CHECK(isThere());
  outputOf({"ip", "link", "add", "cni1", "type", "bridge"});
  mustRemove(unrecorded);
  CHECK(isThere());
  unrecorded.bridge = netlib::IfName::parse("cni0").value();
  const std::string veth = attached.result.substr(attached.result.find("\"veth") + 1, 12);
  outputOf({"ip", "link", "set", veth, "alias", "pons other c9 eth0"});
  mustRemove(unrecorded);
  CHECK(isThere());
  outputOf({"ip", "link", "set", veth, "alias", "mine"});
  mustRemove(unrecorded);
  CHECK_FALSE(isThere());

  outputOf({"ip", "-n", "here", "link", "add", "eth0", "type", "bridge"});
  mustRemove(unrecorded);
  CHECK(isThere());
}

TEST_CASE("an address that a container gave itself is not taken for its own") {
  if (!canCompare()) return FakeHost::countSkip();
  Side side{kReferencePlugins};
  const Conflist list = conflist("takeover.conflist");
  side.configure(list);
  const Attached greedy = side.attach(list, "greedy");
  const Attached neighbour = side.attach(list, "neighbour");
  const UnrecordedAttachment ofNeighbour = unrecordedOf(list, neighbour, "cni0");
  const std::string before = about(rules("nft"), ofNeighbour, neighbour);
  REQUIRE(before != "");
  for (const std::string& address : neighbour.addresses) {
    outputOf({"ip", "-n", "greedy", "addr", "add", address, "dev", "eth0"});
  }
  mustRemove(unrecordedOf(list, greedy, "cni0"));
  CHECK(about(rules("nft"), ofNeighbour, neighbour) == before);
}
