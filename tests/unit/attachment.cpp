#include "plugin/model/attachment.h"

#include <set>

#include <doctest/doctest.h>

#include "netlib/base/hash.h"

#include "plugin/firewall/source_subnets.h"
#include "plugin/model/shared_state.h"

#include "tests/support/attachments.h"

using netlib::Family;
using pons::Attachment;
using pons::Protocol;
using support::attachmentOf;
using support::ip;
using support::keyOf;
using support::prefix;

namespace {

Attachment dualStack() {
  Attachment attachment =
      attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}, {prefix("fd00::7/64"), ip("fd00::1")}});
  attachment.forwards = {{Protocol::Tcp, ip("0.0.0.0"), 80, ip("10.42.0.7"), 80}};
  return attachment;
}

}  // namespace

TEST_CASE("the hash is FNV-1a and its digits have a fixed width") {
  CHECK(netlib::hashOf("") == 0xcbf29ce484222325U);
  CHECK(netlib::hashOf("foobar") == 0x85944171f73967e8U);
  CHECK(netlib::hexDigits(0xabc, 5) == "00abc");
  CHECK(netlib::hexDigits(0x123456789abcdef0U, 11) == "6789abcdef0");
}

TEST_CASE("protocol names are case-insensitive") {
  for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Sctp}) {
    CHECK(pons::parseProtocol(pons::nameOf(protocol)) == protocol);
  }
  CHECK(pons::parseProtocol("UdP") == Protocol::Udp);
  CHECK_FALSE(pons::parseProtocol("icmp"));
  CHECK_FALSE(pons::parseProtocol(""));
}

TEST_CASE("the name of the host veth is derived from all members of the key") {
  std::set<std::string> names;
  for (const char* network : {"demo", "other"}) {
    for (const char* container : {"c1", "c2", "c11"}) {
      for (const char* ifName : {"eth0", "eth1", "1eth0"}) {
        names.insert(pons::hostVethName(keyOf(container, network, ifName)).toString());
      }
    }
  }
  CHECK(names.size() == 18);
  for (const std::string& name : names) {
    CHECK(name.size() == 15);
    CHECK(name.starts_with("pons"));
  }
  CHECK(pons::hostVethName(keyOf("c1")) == pons::hostVethName(keyOf("c1")));
}

TEST_CASE("no ifb has the name of a veth") {
  std::set<std::string> names;
  for (int number = 0; number < 1000; ++number) {
    const auto key = keyOf("c" + std::to_string(number));
    names.insert(pons::hostVethName(key).toString());
    names.insert(pons::ifbName(key).toString());
    CHECK(pons::ifbName(key).toString().size() == 15);
  }
  CHECK(names.size() == 2000);
}

TEST_CASE("messages name the pod and the first 12 digits of the ID, or the whole ID where there is no pod") {
  for (const std::string& id : {std::string{"c1"}, std::string(12, 'a'), std::string(64, 'f')}) {
    Attachment attachment = attachmentOf(keyOf(id), {});
    CHECK(pons::containerText(attachment) == "container " + id);
    attachment.pod = "default/web-0";
    CHECK(pons::containerText(attachment) == "default/web-0 (container " + id.substr(0, 12) + ")");
    CHECK(pons::interfaceText(attachment.key, "") == "container " + id + " (eth0)");
    CHECK(pons::interfaceText(attachment.key, "a/b (c)") == "a/b (c) (container " + id.substr(0, 12) + ", eth0)");
  }
}

TEST_CASE("the gateway of two leases is one address") {
  Attachment attachment = dualStack();
  attachment.leases.push_back({prefix("10.42.0.8/24"), ip("10.42.0.1")});
  attachment.leases.push_back({prefix("10.43.0.8/32"), std::nullopt});
  CHECK(pons::gatewayAddresses(attachment) == std::vector{prefix("10.42.0.1/24"), prefix("fd00::1/64")});
}

TEST_CASE("route_localnet is needed only for ports published at 127.0.0.1") {
  for (const auto& [hostAddress, needed] : {std::pair{"0.0.0.0", true}, {"127.0.0.2", true}, {"192.0.2.1", false}}) {
    Attachment attachment = dualStack();
    attachment.forwards.front().hostAddress = ip(hostAddress);
    const auto states = pons::sharedStatesOf(attachment);
    CHECK((std::ranges::find(states, "loopback-pons0") != states.end()) == needed);
  }
}

TEST_CASE("a changed configuration gets a new chain, an equal one the same") {
  const Attachment attachment = dualStack();
  const pons::SourceNat nat = attachment.sourceNats.front();
  std::set<std::string> chains{pons::chainOf(attachment, nat)};
  CHECK(chains.contains(pons::chainOf(attachmentOf(keyOf("c2"), {}), nat)));

  pons::SourceNat changed = nat;
  changed.masquerade = false;
  chains.insert(pons::chainOf(attachment, changed));
  changed = nat;
  changed.destinations = {prefix("10.0.0.0/8")};
  chains.insert(pons::chainOf(attachment, changed));
  changed = nat;
  changed.subnets.push_back(prefix("10.0.0.0/8"));
  chains.insert(pons::chainOf(attachment, changed));
  chains.insert(pons::chainOf(attachmentOf(keyOf("c1", "other"), {}), nat));
  CHECK(chains.size() == 5);
}

TEST_CASE("the comment of a chain contains its network unless it is truncated") {
  const auto commentOf = [](std::size_t length) {
    const auto network = pons::NetworkName::parse(std::string(length, 'n')).value();
    return pons::nat::networkComment(network).substr(0, netlib::nft::kLongestComment);
  };
  CHECK(pons::nat::networkIn(commentOf(100))->toString() == std::string(100, 'n'));
  CHECK(!pons::nat::networkIn(commentOf(200)));
  CHECK(!pons::nat::networkIn("another comment"));
}
