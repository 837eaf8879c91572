#include "plugin/firewall/orphan_elements.h"

#include <algorithm>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/table_transaction.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// Of these sets what `isAbout(element, set)` is true of.
netlib::Result<Elements> find(Host& host, Family family, const std::vector<std::string>& sets, const auto& isAbout) {
  Elements elements;
  const nft::Table table = nat::tableOf(family);
  for (const std::string& set : sets) {
    auto found = TRY(nft::listElements(host.netfilter, table, set));
    std::erase_if(found, [&](const nft::Element& element) { return !isAbout(element, set); });
    if (!found.empty()) elements[{table.family, set}] = std::move(found);
  }
  return elements;
}

/// What any allowFrom has about the attachment's published ports: an orphan's would add to its own.
netlib::Result<> removeSourcesOf(Host& host, const Attachment& attachment) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (!partsOf(attachment)[nat::tableOf(family).family].contains(Part::RestrictedPorts)) continue;
    const auto isAbout = [&](const nft::Element& element, const std::string& set) {
      const auto port = restricted::portOf(element, family, set);
      return std::ranges::any_of(attachment.forwards, [&port](const PortForward& forward) {
        return port && port->target == forward.target && port->hostAddress == forward.hostAddress &&
               port->protocol == forward.protocol && port->hostPort == forward.hostPort;
      });
    };
    const auto found = TRY(find(host, family, restricted::setsOf(family), isAbout));
    TRY(tables::removeElements(host, found));
  }
  return {};
}

/// What any policy has about the attachment's source addresses: an orphan's would add to its own. And the objects of
/// its host veth, with what leads to them from other addresses.
netlib::Result<> removePoliciesOf(Host& host, const Attachment& attachment) {
  const auto isAbout = [&](const nft::Element& element, const std::string& /*set*/) {
    return egress::isAbout(element, attachment);
  };
  for (const Family family : egress::familiesOf(attachment)) {
    const auto found = TRY(find(host, family, egress::setsOf(family), isAbout));
    TRY(tables::removeElements(host, found));
    TRY(removeEgressObjects(host, family, attachment.hostVeth));
  }
  return {};
}

}  // namespace

netlib::Result<> removeOrphansAt(Host& host, const Attachment& attachment) {
  TRY(removeSourcesOf(host, attachment));
  return removePoliciesOf(host, attachment);
}

}  // namespace pons::tables
