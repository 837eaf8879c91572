// The part of the tables of nat_table.h that enforces "allowFrom" of published ports: behind DNAT, at the hook forward,
// where a packet can be rejected on every kernel (prerouting: from Linux 5.9). A connection from the host itself does
// not pass there, and is allowed; containers are judged by their source address as other hosts are.
//
//   set restricted_ports  { container address . protocol . host port }
//   set allowed_<length>  { container address . host address . protocol . host port . first address of an allowed
//   prefix
//                           of that length }; the host address is 0.0.0.0 or :: for a port of all
//   map restrictions      { container address . host address . protocol . host port : hash of the allowed prefixes }
//
//   chain forward_ports  hook forward, priority filter - 1: new, published, in restricted_ports: jump restricted
//   chain restricted     in a set allowed_<length>: return; counter, jump reject_by_protocol (reject_chain.h)
//
// The elements of a port are its attachment's alone: the container's address is in each. No rule uses the map: the
// kernel refuses (EEXIST) another hash for the port, so that what a lost ledger left does not add to the sources of an
// ADD.
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::restricted {

inline constexpr const char* kRestrictedPorts = "restricted_ports";
/// Its counter has the packets that were rejected.
inline constexpr const char* kRestricted = "restricted";

/// The part RestrictedPorts of a table: see tables::appendPart().
void appendRestrictedPorts(netlib::nft::Transaction& transaction, netlib::Family family);

/// Every set of this part.
std::vector<std::string> setsOf(netlib::Family family);

/// The elements of that port; none without allowFrom.
netlib::nft::ElementsBySet elementsOf(const PortForward& forward);
/// Of these the ones for an allowed prefix; none for one of the other family.
netlib::nft::ElementsBySet elementsFor(const PortForward& forward, const netlib::IpPrefix& allowed);

/// The port that an element of one of these sets is about, without its container port; without its host address as well
/// if it is of restricted_ports. Nothing where pons could not have added the element.
std::optional<PortForward> portOf(const netlib::nft::Element& element, netlib::Family family, std::string_view set);

}  // namespace pons::restricted
