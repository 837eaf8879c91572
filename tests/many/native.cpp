// Two and three containers of every plan: pons as the only plugin of the network.
#include <doctest/doctest.h>

#include "tests/many/form.h"

using namespace support;
using netlib::Family;

namespace {

/// Replaces all occurrences of "from" by "to".
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool names(const std::string& members, const std::string& key) { return members.find(key) != std::string::npos; }

/// The ports of a case, in the numbers of that container; they are in the configuration itself.
std::vector<Published> portsOf(const PlanCase& which, unsigned number) {
  if (!names(which.members, "portMappings")) return {};
  const auto own = [number](unsigned port) { return static_cast<std::uint16_t>(port + 100 * number); };
  return {{own(8080), 80}, {own(5353), 53, Transport::Udp}, {own(8081), 81, Transport::Tcp, "192.0.2.1"}};
}

/// A case's members for one of several containers: ports and root of its own.
std::string membersFor(const PlanCase& which, unsigned number) {
  std::string members = replaced(which.members, "/run/roots/c1", "/run/roots/c" + std::to_string(number));
  for (const unsigned port : {8080U, 5353U, 8081U}) {
    members = replaced(members, std::to_string(port), std::to_string(port + 100 * number));
  }
  return members;
}

/// Limits, DNS server and MTU of its own; the second one shows its address to the outside in IPv4, the third one is not
/// masqueraded at all.
void giveOwnSettings(Wish& wish, unsigned number) {
  std::string& members = wish.list.front().members;
  const std::string digit = std::to_string(number);
  members = replaced(members, "20000000", "2" + digit + "000000");
  members = replaced(members, R"("nameservers": ["10.42.0.1"])", R"("nameservers": ["192.0.2.)" + digit + "\"]");
  members += R"(, "mtu": 14)" + digit + "0";
  if (names(members, R"("ipam": {})")) return;
  if (number == 2) {
    const std::string excluded = R"("ipMasqExclude": ["192.0.2.0/24"])";
    if (!names(members, "ipMasqExclude")) members += ", " + excluded;
    members = replaced(members, R"("ipMasqExclude": ["10.0.0.0/8"])", excluded);
    wish.masquerade = {Family::Ipv6};
  }
  if (number == 3) {
    members += R"(, "ipMasq": false)";
    wish.masquerade = {};
  }
}

Form formOf(PlanCase which) {
  // A root for each.
  which.rules = replaced(which.rules, "/run/roots/other", "/run/roots/c2 /run/roots/c3");
  const WishOf wishOf = [which](Settings settings, unsigned number) {
    Wish wish{.list = {{"pons", membersFor(which, number)}},
              .ports = portsOf(which, number),
              .args = replaced(which.args, "77", "7" + std::to_string(number))};
    if (settings == Settings::Different) giveOwnSettings(wish, number);
    return wish;
  };
  return {.name = which.name, .wishOf = wishOf, .host = which, .version = "1.1.0"};
}

const std::vector<std::string> kGuards = {R"("ipSpoofCheck": false)", R"("macspoofchk": false)",
                                          R"("portIsolation": true)"};
const std::vector<std::string> kEgress = {
    R"("egressPolicy": {"allowedCidrs": ["192.0.2.0/24", "2001:db8:1::/64"]})",
    R"("egressPolicy": {"allowedCidrs": ["192.0.2.2/32", "2001:db8:1::2/128"], "allowedTcpPorts": [443]})",
    R"("hairpinMode": false)"};

/// One of these members in addition to addresses and a published port.
Wish wishWith(const std::vector<std::string>& variants, Settings settings, unsigned number) {
  const std::string ipam = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]}, )";
  const auto port = static_cast<std::uint16_t>(8080 + number);
  return {.list = {{"pons", ipam + chosen(variants, settings, number), true}},
          .ports = {{port, 80}, {port, 80, Transport::Udp}}};
}

}  // namespace

TEST_CASE("Two and three containers of every plan, in every order of DELs") {
  for (const PlanCase& which : planCases()) tryEveryOrder(formOf(which));
}

TEST_CASE("Two and three containers whose guards are equal and differ, in every order of DELs") {
  tryEveryOrder({.name = "guards", .wishOf = std::bind_front(wishWith, kGuards)});
}

TEST_CASE("Two and three containers whose egress policies are equal and differ, in every order of DELs") {
  tryEveryOrder({.name = "egress", .wishOf = std::bind_front(wishWith, kEgress)});
}
