#include "plugin/firewall/table_parts.h"

#include <algorithm>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/reject_chain.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/source_subnets.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

Parts ipPartsOf(const Attachment& attachment, Family family) {
  Parts parts;
  const auto isOfFamily = [family](const auto& address) { return address.family() == family; };
  if (std::ranges::any_of(sourceSubnets(attachment), isOfFamily)) parts.insert(Part::SourceNat);
  if (std::ranges::any_of(attachment.forwards, isOfFamily, &PortForward::target)) {
    parts.insert({Part::SourceNat, Part::Ports});
  }
  const auto isRestricted = [&](const PortForward& forward) {
    return isOfFamily(forward.target) && !forward.allowFrom.empty();
  };
  if (std::ranges::any_of(attachment.forwards, isRestricted)) parts.insert({Part::RestrictedPorts, Part::Reject});
  // In both families: a container can assign itself addresses of the family that its network lacks.
  if (hasBridgePolicy(attachment)) parts.insert(Part::Policies);
  if (parts.contains(Part::Policies) && attachment.onDeny == OnDeny::Reject) parts.insert(Part::Reject);
  if (std::ranges::count(egress::familiesOf(attachment), family) > 0) {
    parts.insert(Part::Egress);
    if (egress::logs(attachment)) parts.insert(Part::EgressLog);
    if (egress::rejects(attachment)) parts.insert({Part::EgressReject, Part::Reject});
  }
  return parts;
}

/// A set, but of Reject a chain.
const char* markerOf(Part part) {
  switch (part) {
    case Part::SourceNat:
      return nat::kSources;
    case Part::Ports:
      return nat::kForwardsAny;
    case Part::Policies:
      return bridges::kPolicyBridges;
    case Part::Reject:
      return reject::kByProtocol;
    case Part::Egress:
      return egress::kSources;
    case Part::EgressLog:
      return egress::kLogged;
    case Part::EgressReject:
      return egress::kRejected;
    case Part::RestrictedPorts:
      return restricted::kRestrictedPorts;
    case Part::Guard:
      return guard::kMacs;
  }
  return "";
}

}  // namespace

const Parts& allParts(TableFamily family) {
  static const Parts ip{Part::SourceNat, Part::Ports,     Part::Policies,     Part::Reject,
                        Part::Egress,    Part::EgressLog, Part::EgressReject, Part::RestrictedPorts};
  static const Parts bridge{Part::Guard};
  return family == TableFamily::Bridge ? bridge : ip;
}

PartsByTable partsOf(const Attachment& attachment) {
  PartsByTable tables;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (needsTable(attachment, family)) tables[static_cast<TableFamily>(family)] = ipPartsOf(attachment, family);
  }
  if (attachment.guard != SpoofGuard::None) tables[TableFamily::Bridge] = {Part::Guard};
  return tables;
}

nft::Names markersOf(const Parts& parts) {
  nft::Names markers;
  for (const Part part : parts) (part == Part::Reject ? markers.chains : markers.sets).insert(markerOf(part));
  return markers;
}

bool isIn(const nft::Names& present, Part part) {
  return (part == Part::Reject ? present.chains : present.sets).contains(markerOf(part));
}

netlib::Result<Parts> presentParts(netlib::Socket& netfilter, TableFamily family) {
  const auto present = nft::present(netfilter, tableOf(family), markersOf(allParts(family)));
  if (present.failedWith(ENOENT)) return Parts{};
  if (!present) return netlib::fail(present.error());
  Parts parts;
  for (const Part part : allParts(family)) {
    if (isIn(*present, part)) parts.insert(part);
  }
  return parts;
}

void appendPart(nft::Transaction& transaction, TableFamily table, Part part) {
  const auto family = static_cast<Family>(table);
  switch (part) {
    case Part::SourceNat:
      return nat::appendSourceNat(transaction, family);
    case Part::Ports:
      return nat::appendPorts(transaction, family);
    case Part::Policies:
      return bridges::appendPolicies(transaction, family);
    case Part::Reject:
      return reject::appendReject(transaction, family);
    case Part::Egress:
      return egress::appendEgress(transaction, family);
    case Part::EgressLog:
      return egress::appendLog(transaction, family);
    case Part::EgressReject:
      return egress::appendReject(transaction, family);
    case Part::RestrictedPorts:
      return restricted::appendRestrictedPorts(transaction, family);
    case Part::Guard:
      return guard::appendGuard(transaction);
  }
}

void appendSkeleton(nft::Transaction& transaction, TableFamily family, const Parts& parts) {
  transaction.addTable(tableOf(family));
  appendLedgerMap(transaction, family);
  for (const Part part : parts) appendPart(transaction, family, part);
}

}  // namespace pons::tables
