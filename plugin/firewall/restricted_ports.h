// The part of the tables of nat_table.h that enforces "allowFrom" of published ports: behind DNAT, at the hook forward,
// where a packet can be rejected on every kernel (prerouting: from Linux 5.9). A connection from the host itself does
// not pass there, and is allowed; containers are judged by their source address as other hosts are.
//
//   set restricted_ports  { container address . protocol . host port }
//   set allowed_any       { container address . protocol . host port . source }, intervals of sources
//   set allowed_ip        { container address . host address . protocol . host port . source }, likewise
//
//   chain forward_ports  hook forward, priority filter - 1: new, published, in restricted_ports: jump restricted
//   chain restricted     in allowed_ip or allowed_any: return; counter, jump reject_by_protocol (reject_chain.h)
//
// The elements of a port are its attachment's alone: the container's address is in each. A concatenation of which the
// last field has ranges is an interval of the whole key. So these sets are of plain intervals, which every kernel has,
// and not of concatenated ranges (Linux 5.6), of which each change copies the whole set. nft(8) lists its elements
// as numbers, since it takes a concatenation with intervals for the latter kind.
#pragma once

#include <map>

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::restricted {

inline constexpr const char* kRestrictedPorts = "restricted_ports";
inline constexpr const char* kAllowedAny = "allowed_any";
inline constexpr const char* kAllowedIp = "allowed_ip";
/// Its counter has the packets that were rejected.
inline constexpr const char* kRestricted = "restricted";

/// The part RestrictedPorts of a table: see tables::appendPart().
void appendRestrictedPorts(netlib::nft::Transaction& transaction, netlib::Family family);

/// The elements of that port by set, none without allowFrom; of each interval its start and its end.
std::map<std::string, std::vector<netlib::nft::Element>> elementsOf(const PortForward& forward);

/// The port that an element of one of these sets is about, without its container port; without its host address as well
/// if it is of restricted_ports. Nothing where pons could not have added the element.
std::optional<PortForward> portOf(const netlib::nft::Element& element, netlib::Family family, std::string_view set);

bool hasSources(std::string_view set);
/// "192.0.2.0/24 to port 8080/tcp": an interval of such a set, in words. `end` as in nft::intervalText().
std::optional<std::string> sourceText(const netlib::nft::Element& start, const netlib::nft::Element* end,
                                      netlib::Family family, std::string_view set);

}  // namespace pons::restricted
