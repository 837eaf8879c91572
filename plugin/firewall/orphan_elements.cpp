#include "plugin/firewall/orphan_elements.h"

#include <algorithm>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/table_transaction.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// All intervals of the attachment's published ports: those of a lost ledger may overlap its own. By key: since Linux
/// 6.18 at the latest an end is deleted after its start only, and the kernel lists them in descending order.
netlib::Result<> removeSourcesOf(Host& host, const Attachment& attachment) {
  Elements elements;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const nft::Table table = nat::tableOf(family);
    if (!partsOf(attachment)[table.family].contains(Part::RestrictedPorts)) continue;
    for (const char* set : {restricted::kAllowedAny, restricted::kAllowedIp}) {
      std::vector<nft::Element> found;
      for (auto& element : TRY(nft::listElements(host.netfilter, table, set))) {
        const auto port = restricted::portOf(element, family, set);
        const auto isSame = [&port](const PortForward& forward) {
          return port && port->target == forward.target && port->hostAddress == forward.hostAddress &&
                 port->protocol == forward.protocol && port->hostPort == forward.hostPort;
        };
        if (std::ranges::any_of(attachment.forwards, isSame)) found.push_back(std::move(element));
      }
      std::ranges::sort(found, {}, &nft::Element::key);
      if (!found.empty()) elements[{table.family, set}] = std::move(found);
    }
  }
  return tables::removeElements(host, elements);
}

/// What any policy has about the attachment's source addresses: an orphan's would add to its own. And the objects of
/// its host veth, with what leads to them from other addresses.
netlib::Result<> removePoliciesOf(Host& host, const Attachment& attachment) {
  Elements elements;
  for (const Family family : egress::familiesOf(attachment)) {
    const nft::Table table = nat::tableOf(family);
    for (const std::string& set : egress::setsOf(family)) {
      auto found = TRY(nft::listElements(host.netfilter, table, set));
      std::erase_if(found, [&](const nft::Element& element) { return !egress::isAbout(element, attachment); });
      if (!found.empty()) elements[{table.family, set}] = std::move(found);
    }
  }
  TRY(tables::removeElements(host, elements));
  for (const Family family : egress::familiesOf(attachment)) {
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
