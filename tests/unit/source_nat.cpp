// Source NAT without a kernel: which subnets come to which chain, and transactions that change nothing.
#include <algorithm>

#include <doctest/doctest.h>

#include "netlib/nft/transaction.h"

#include "plugin/firewall/source_subnets.h"

#include "tests/support/attachments.h"

using namespace support;
using netlib::nft::Element;

namespace {

/// "10.42.0.0-10.42.0.255 10.42.0.0/24" for each interval, in the order of the addresses.
std::vector<std::string> intervalsOf(const std::vector<std::string>& subnets) {
  std::vector<netlib::IpPrefix> prefixes;
  for (const std::string& subnet : subnets) prefixes.push_back(prefix(subnet));
  std::vector<std::string> intervals;
  for (const Element& element : pons::nat::sourceElements(prefixes)) {
    const auto address = netlib::IpAddress::fromBytes(element.key).value();
    if (!element.intervalEnd) {
      intervals.push_back(address.toString() + " " + pons::nat::subnetOfChain(element.jumpTo)->toString());
    } else {
      intervals.back() = "-" + address.toString() + " " + intervals.back();
    }
  }
  std::ranges::sort(intervals);
  return intervals;
}

}  // namespace

TEST_CASE("a transaction and a batch without a change send nothing to the kernel") {
  // Of any subsystem: qemu's user emulation has none of netfilter.
  auto socket = netlib::Socket::open(netlib::Socket::Subsystem::Route).value();
  CHECK(netlib::nft::Transaction{}.commit(socket).ok());
  CHECK(netlib::nft::Transaction{}.check(socket).ok());
  netlib::nft::Transaction withoutElements;
  withoutElements.addElements(pons::nat::tableOf(netlib::Family::Ipv4), "sources", {});
  withoutElements.deleteElements(pons::nat::tableOf(netlib::Family::Ipv4), "sources", {});
  CHECK(withoutElements.commit(socket).ok());
  netlib::Batch batch;
  CHECK(socket.exchange(batch)->empty());
  CHECK(socket.request(batch)->empty());
}

TEST_CASE("the chain name of a subnet is parsed back to the subnet") {
  CHECK(pons::nat::subnetChain(prefix("10.42.0.0/24")) == "subnet_10.42.0.0/24");
  CHECK(pons::nat::subnetChain(prefix("fd42::/64")) == "subnet_fd42--/64");
  for (const char* subnet : {"10.42.0.0/24", "fd42::/64", "2001:db8:1:2:3:4:5:6/128"}) {
    CHECK(pons::nat::subnetOfChain(pons::nat::subnetChain(prefix(subnet))) == prefix(subnet));
  }
  for (const char* other : {"net_0123456789abcdef", "subnet_x", "postrouting", ""}) {
    CHECK_FALSE(pons::nat::subnetOfChain(other));
  }
}

TEST_CASE("of subnets inside of one another, each has what no narrower one has") {
  CHECK(intervalsOf({"10.42.0.0/24"}) == std::vector<std::string>{"-10.42.1.0 10.42.0.0 10.42.0.0/24"});
  CHECK(intervalsOf({"10.0.0.0/8", "10.1.0.0/16"}) == std::vector<std::string>{"-10.1.0.0 10.0.0.0 10.0.0.0/8",
                                                                               "-10.2.0.0 10.1.0.0 10.1.0.0/16",
                                                                               "-11.0.0.0 10.2.0.0 10.0.0.0/8"});
  CHECK(intervalsOf({"10.1.2.0/24", "10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/16", "10.255.0.0/16"}) ==
        std::vector<std::string>{"-10.1.0.0 10.0.0.0 10.0.0.0/16", "-10.1.2.0 10.1.0.0 10.1.0.0/16",
                                 "-10.1.3.0 10.1.2.0 10.1.2.0/24", "-10.2.0.0 10.1.3.0 10.1.0.0/16",
                                 "-10.255.0.0 10.2.0.0 10.0.0.0/8", "-11.0.0.0 10.255.0.0 10.255.0.0/16"});
  CHECK(intervalsOf({"255.255.255.0/24"}) == std::vector<std::string>{"255.255.255.0 255.255.255.0/24"});
  CHECK(intervalsOf({"fd00::/8", "fdff:ffff:ffff:ffff::/64"}) ==
        std::vector<std::string>{"-fdff:ffff:ffff:ffff:: fd00:: fd00::/8",
                                 "-fe00:: fdff:ffff:ffff:ffff:: fdff:ffff:ffff:ffff::/64"});
}

TEST_CASE("source NAT concerns the subnets of a masqueraded network, else those that have published ports") {
  pons::Attachment attachment = attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}});
  attachment.sourceNats.front().subnets.push_back(prefix("10.43.0.0/24"));
  CHECK(pons::sourceSubnets(attachment) == std::vector{prefix("10.42.0.0/24"), prefix("10.43.0.0/24")});
  attachment.sourceNats.front().masquerade = false;
  CHECK(pons::sourceSubnets(attachment).empty());
  attachment.forwards = {{pons::Protocol::Tcp, ip("0.0.0.0"), 80, ip("10.42.0.7"), 80}};
  CHECK(pons::sourceSubnets(attachment) == std::vector{prefix("10.42.0.0/24")});
  attachment.sourceNats.clear();
  CHECK(pons::sourceSubnets(attachment).empty());
}
