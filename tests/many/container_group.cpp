#include "tests/many/container_group.h"

#include <iterator>
#include <optional>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"

namespace support {
namespace {

using netlib::Family;
using netlib::IpAddress;

constexpr std::uint16_t kFar = 443;
constexpr AskOptions kQuickly{.source = {}, .timeout = std::chrono::milliseconds{300}};

std::string hostAddress(Family family) { return family == Family::Ipv4 ? "192.0.2.1" : "2001:db8:1::1"; }
std::string outsideAddress(Family family) { return family == Family::Ipv4 ? "192.0.2.2" : "2001:db8:1::2"; }

/// From where a published port is tried, and by which address of the host.
struct Way {
  Place from;
  std::string to;
};

/// All ways in that family by which the port is to answer.
std::vector<Way> waysTo(const Published& port, Family family, const Wish& wish, const std::string& outside) {
  const std::string onUplink = hostAddress(family);
  std::vector<Way> ways;
  if (port.hostAddress.empty() || port.hostAddress == onUplink) ways = {{outside, onUplink}, {kHere, onUplink}};
  if (port.hostAddress.empty() && family == Family::Ipv4 && wish.sourceNat) ways.push_back({kHere, "127.0.0.1"});
  return ways;
}

/// The name that answers; empty where none does.
std::string nameAt(const Way& way, const Published& port, const AskOptions& options) {
  const std::string answer = ask(way.from, port.transport, endpoint(way.to, port.host), options).value_or("");
  return answer.substr(0, answer.find(' '));
}

void checkPorts(const Container& container, Family family, const std::string& outside, const std::string& expected) {
  for (const Published& port : container.wish().ports) {
    for (const Way& way : waysTo(port, family, container.wish(), outside)) {
      INFO("port ", port.host, " at ", way.to, " from ", way.from.value_or("the host"));
      CHECK(nameAt(way, port, expected.empty() ? kQuickly : AskOptions{}) == expected);
    }
  }
}

void checkWayOut(const Container& container, const IpAddress& own) {
  const Family family = own.family();
  const std::string source = container.wish().masquerade.contains(family) ? hostAddress(family) : own.toString();
  CHECK(ask(container.netns(), Transport::Tcp, endpoint(outsideAddress(family), kFar)).value_or("nothing") ==
        "outside " + source);
}

/// What pons may leave behind on a host where the main plugin is another's.
std::string ownTraces() {
  return outputOf({"sh", "-c",
                   "nft list tables | grep -w pons; ip -o link | grep pons;"
                   "grep -H 1 /proc/sys/net/ipv4/conf/*/route_localnet; :"});
}

}  // namespace

ContainerGroup::ContainerGroup(const Form& form, Settings settings, unsigned size) : allIsOurs_(form.foreign.empty()) {
  installPlugins(form.foreign);
  prepareHost(form.host);
  // So that a port that is closed says so every time.
  shell("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
  // So that those answer, too, which are not masqueraded.
  shell("ip -n outside route add 10.42.0.0/24 via 192.0.2.1; ip -n outside route add fd42::/64 via 2001:db8:1::1");
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    servers_.emplace_back(outside_, Transport::Tcp, endpoint(outsideAddress(family), kFar), "outside");
  }
  for (unsigned number = 1; number <= size; ++number) {
    containers_.emplace_back(host_, "c" + std::to_string(number), form.version, form.wishOf(settings, number));
  }
  before_ = state();
}

Container& ContainerGroup::container(unsigned number) { return *std::next(containers_.begin(), number - 1); }

void ContainerGroup::checkAll() {
  for (const Container& container : containers_) {
    CAPTURE(container.name());
    if (container.isAttached()) {
      container.check();
      for (const IpAddress& address : container.addresses()) {
        checkPorts(container, address.family(), outside_, container.name());
        checkWayOut(container, address);
      }
    } else {
      for (const Family family : {Family::Ipv4, Family::Ipv6}) checkPorts(container, family, outside_, "");
    }
  }
}

void ContainerGroup::checkNothingLeft() { CHECK(difference(before_, state()) == ""); }

std::string ContainerGroup::state() const {
  std::string text = (allIsOurs_ ? host_.dump() : ownTraces()) + ledgerText();
  if (!allIsOurs_) return text;
  text += dumpHostLocal() + dumpRoots();
  for (const Container& container : containers_) text += interfacesOf(host_, container.name());
  return text;
}

}  // namespace support
