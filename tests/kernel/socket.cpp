#include "netlib/netlink/socket.h"

#include <sstream>

#include <doctest/doctest.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/rtnl/link.h"

#include "tests/support/fake_host.h"

using namespace support;
using netlib::Batch;
using netlib::IfName;
using netlib::Socket;

namespace {

const IfName kLo = IfName::parse("lo").value();

// The port numbers of this namespace's rtnetlink sockets.
std::vector<std::uint32_t> routePorts() {
  std::istringstream table{outputOf({"cat", "/proc/thread-self/net/netlink"})};
  std::vector<std::uint32_t> ports;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream fields{line};
    std::string address;
    int protocol = -1;
    std::uint32_t port = 0;
    fields >> address >> protocol >> port;
    if (protocol == NETLINK_ROUTE && port != 0) ports.push_back(port);
  }
  return ports;
}

}  // namespace

TEST_CASE("A message from another process to our netlink socket is not taken for the kernel's answer") {
  REQUIRE_FAKE_HOST(host);
  Socket route = Socket::open(Socket::Subsystem::Route).value();
  REQUIRE(netlib::link::find(route, kLo).ok());  // now it has a port number
  const auto ports = routePorts();
  REQUIRE(ports.size() == 1);

  const netlib::UniqueFd forger{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  to.nl_pid = ports.front();
  // An error for each of the sequence numbers that come next.
  for (std::uint32_t sequence = 1; sequence < 20; ++sequence) {
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } forged{};
    forged.header = {
        .nlmsg_len = sizeof forged, .nlmsg_type = NLMSG_ERROR, .nlmsg_flags = 0, .nlmsg_seq = sequence, .nlmsg_pid = 0};
    forged.error.error = -EPERM;
    REQUIRE(sendto(forger.get(), &forged, sizeof forged, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) ==
            sizeof forged);
  }
  for (int i = 0; i < 5; ++i) {
    const auto found = netlib::link::find(route, kLo);
    REQUIRE_MESSAGE(found.ok(), (found ? "" : found.error().message));
    CHECK(found->name == "lo");
  }
}

TEST_CASE("A socket speaks to the namespace that it was opened in") {
  REQUIRE_FAKE_HOST(host);
  const std::string other = host.addNamespace("c1");
  outputOf({"ip", "-n", "c1", "link", "add", "only-there", "type", "bridge"});
  Socket inside = host.inside(other, [] { return Socket::open(Socket::Subsystem::Route); }).value();
  Socket here = Socket::open(Socket::Subsystem::Route).value();
  const IfName name = IfName::parse("only-there").value();
  CHECK(netlib::link::find(inside, name).ok());
  CHECK(netlib::link::find(here, name).failedWith(ENODEV));
}

TEST_CASE("Of several requests each has its own answer; the first that failed is the error") {
  REQUIRE_FAKE_HOST(host);
  Socket route = Socket::open(Socket::Subsystem::Route).value();
  const auto batchOf = [](Batch& batch) {
    netlib::link::appendSetUp(batch, netlib::link::kLoopbackIndex);
    netlib::link::appendSetMtu(batch, netlib::link::kLoopbackIndex, 1400);
    netlib::link::appendSetUp(batch, 4711);
    netlib::link::appendSetUp(batch, 4712);
  };
  Batch batch;
  batchOf(batch);
  const auto answers = route.exchange(batch);
  REQUIRE(answers.ok());
  CHECK((*answers)[0].error == 0);
  CHECK((*answers)[1].error == 0);
  CHECK((*answers)[2].error == ENODEV);
  CHECK((*answers)[3].error == ENODEV);
  Batch again;
  batchOf(again);
  const auto failed = route.request(again);
  REQUIRE(failed.failedWith(ENODEV));
  CHECK(failed.error().message.find("4711") != std::string::npos);
}

TEST_CASE("Thousands of requests in one datagram are all answered") {
  REQUIRE_FAKE_HOST(host);
  Socket route = Socket::open(Socket::Subsystem::Route).value();
  Batch batch;
  for (int i = 0; i < 3000; ++i) netlib::link::appendSetUp(batch, i % 2 == 0 ? netlib::link::kLoopbackIndex : 4711);
  const auto answers = route.exchange(batch);
  REQUIRE(answers.ok());
  REQUIRE(answers->size() == 3000);
  for (std::size_t i = 0; i < answers->size(); ++i) CHECK((*answers)[i].error == (i % 2 == 0 ? 0 : ENODEV));
}

TEST_CASE("A request that is too long is not sent, and the kernel's own words are in errors") {
  REQUIRE_FAKE_HOST(host);
  Socket route = Socket::open(Socket::Subsystem::Route).value();
  Batch longOne;
  netlib::link::appendSetUp(longOne, netlib::link::kLoopbackIndex);
  longOne.put(IFLA_IFALIAS, std::vector<std::uint8_t>(100'000));
  CHECK(route.exchange(longOne).failedWith(netlib::Cause::Invalid));
  CHECK(netlib::link::find(route, kLo).ok());

  Batch wrong;
  netlib::link::appendSetMtu(wrong, netlib::link::kLoopbackIndex, 1400);
  wrong.put(IFLA_NET_NS_FD, std::vector<std::uint8_t>(3));
  const auto refused = route.request(wrong);
  REQUIRE(!refused.ok());
  CHECK(refused.error().message.find('(') != std::string::npos);
}
