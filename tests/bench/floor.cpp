#include "tests/bench/floor.h"

#include <future>
#include <stdexcept>

#include "netlib/os/netns.h"
#include "netlib/rtnl/address.h"
#include "netlib/rtnl/link.h"
#include "netlib/rtnl/route.h"

#include "plugin/firewall/nat_table.h"

#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"

namespace bench {

namespace {

using netlib::Result;
using netlib::Socket;
namespace nft = netlib::nft;

/// What pons gives a container, with an address of our own choice.
pons::Attachment attachmentOf(const Container& container) {
  const netlib::IpAddress address = support::ip("10.42.255.254");
  const auto port = static_cast<pons::Port>(container.port);
  pons::Attachment attachment = support::attachmentOf(
      support::keyOf(container.id), {{support::prefix("10.42.255.254/16"), support::ip("10.42.0.1")}},
      {{pons::Protocol::Tcp, support::ip("0.0.0.0"), port, address, 80},
       {pons::Protocol::Udp, support::ip("0.0.0.0"), port, address, 53}});
  attachment.netnsPath = container.netns;
  return attachment;
}

std::vector<nft::Element> elementsOf(const pons::Attachment& attachment) {
  std::vector<nft::Element> elements;
  for (const pons::PortForward& forward : attachment.forwards) elements.push_back(pons::nat::elementOf(forward));
  return elements;
}

netlib::link::NewVeth vethOf(const pons::Attachment& attachment, const netlib::Netns& netns, unsigned bridge) {
  return {.hostName = attachment.hostVeth,
          .hostMac = attachment.hostMac,
          .alias = "pons bench",
          .group = 0,
          .master = bridge,
          .masterMtu = 1500,  // the same as the veth's
          .port = {.hairpin = true},
          .peerName = attachment.key.ifName,
          .peerMac = attachment.containerMac,
          .peerNetns = netns.fd()};
}

Result<> furnish(const netlib::Netns& netns, const pons::Lease& lease, unsigned index) {
  auto socket = TRY(netns.inside([] { return Socket::open(Socket::Subsystem::Route); }));
  netlib::Batch batch;
  netlib::link::appendSetUp(batch, netlib::link::kLoopbackIndex);
  netlib::link::appendSetUp(batch, index);
  netlib::address::appendAdd(batch, index, lease.address, netlib::address::DuplicateDetection::Off);
  netlib::route::appendAdd(batch, {.destination = support::prefix("0.0.0.0/0"),
                                   .nextHops = {{.gateway = lease.gateway, .linkIndex = index}}});
  TRY(socket.request(batch));
  return {};
}

Result<> attach(const pons::Attachment& attachment, unsigned bridge) {
  auto route = TRY(Socket::open(Socket::Subsystem::Route));
  auto netfilter = TRY(Socket::open(Socket::Subsystem::Netfilter));
  const auto netns = TRY(netlib::Netns::open(attachment.netnsPath));
  const auto index = TRY(netlib::link::createVeth(route, vethOf(attachment, netns, bridge))).peerIndex;
  if (!index) return netlib::fail(netlib::Cause::Unsupported, "this kernel does not echo the index of a veth's peer");
  TRY(furnish(netns, attachment.leases.front(), *index));
  nft::Transaction transaction;
  transaction.addElements(pons::nat::tableOf(netlib::Family::Ipv4), pons::nat::kForwardsAny, elementsOf(attachment));
  return transaction.commit(netfilter);
}

Result<> deleteElements(Socket& netfilter, const pons::Attachment& attachment) {
  nft::Transaction transaction;
  transaction.deleteElements(pons::nat::tableOf(netlib::Family::Ipv4), pons::nat::kForwardsAny, elementsOf(attachment));
  return transaction.commit(netfilter);
}

/// nf_tables first, so that its grace period passes while the link's does.
Result<> detach(const pons::Attachment& attachment) {
  auto route = TRY(Socket::open(Socket::Subsystem::Route));
  auto netfilter = TRY(Socket::open(Socket::Subsystem::Netfilter));
  TRY(deleteElements(netfilter, attachment));
  return netlib::link::remove(route, attachment.hostVeth);
}

Result<> deleteLink(const pons::Attachment& attachment) {
  auto route = TRY(Socket::open(Socket::Subsystem::Route));
  return netlib::link::remove(route, attachment.hostVeth);
}

unsigned bridgeIndex() {
  auto socket = Socket::open(Socket::Subsystem::Route).value();
  return netlib::link::find(socket, netlib::IfName::parse("pons0").value()).value().index;
}

template <class Work>
Cost measured(Work work) {
  const Meter meter;
  const Result<> done = work();
  const Cost cost = meter.cost();
  if (!done) throw std::runtime_error("kernel floor: " + done.error().message);
  return cost;
}

template <class Work>
void eachInThread(const std::vector<Container>& containers, Work work) {
  std::vector<std::future<void>> running;
  for (const Container& container : containers) {
    running.push_back(std::async(std::launch::async, [&work, &container] { work(container); }));
  }
  for (auto& one : running) one.get();
}

}  // namespace

Cost Floor::add(const Container& container) const {
  const support::Inside there{host_};
  const pons::Attachment attachment = attachmentOf(container);
  const unsigned bridge = bridgeIndex();
  return measured([&] { return attach(attachment, bridge); });
}

Cost Floor::del(const Container& container) const {
  const support::Inside there{host_};
  const pons::Attachment attachment = attachmentOf(container);
  return measured([&] { return detach(attachment); });
}

void Floor::addAtOnce(const std::vector<Container>& containers) const {
  eachInThread(containers, [this](const Container& container) { add(container); });
}

void Floor::delAtOnce(const std::vector<Container>& containers) const {
  eachInThread(containers, [this](const Container& container) { del(container); });
}

Cost LinkRemoval::add(const Container& container) const {
  floor_.add(container);
  return {};
}

Cost LinkRemoval::removeLink(const Container& container) const {
  const support::Inside there{host_};
  const pons::Attachment attachment = attachmentOf(container);
  return measured([&] { return deleteLink(attachment); });
}

Cost LinkRemoval::del(const Container& container) const {
  const Cost cost = removeLink(container);
  const support::Inside there{host_};
  auto netfilter = Socket::open(Socket::Subsystem::Netfilter).value();
  deleteElements(netfilter, attachmentOf(container)).value();
  return cost;
}

void LinkRemoval::delAtOnce(const std::vector<Container>& containers) const {
  eachInThread(containers, [this](const Container& container) { removeLink(container); });
}

Cost ProgramStart::add(const Container& container) const {
  return run({.argv = {PONS_BENCH_NOTHING}, .environment = cniEnvironment("ADD", container, {}), .input = {}}).cost;
}

void ProgramStart::addAtOnce(const std::vector<Container>& containers) const {
  for (const Container& container : containers) add(container);
}

}  // namespace bench
