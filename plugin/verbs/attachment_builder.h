// From a runtime's request to the plain Attachment, and from that to the result: the two borders between the protocol
// and the work.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// The number of bytes that the request asks for, "auto" looked up: the smallest MTU among the default routes' links.
/// EINVAL where that is too small for the IPv6 addresses of the configuration.
netlib::Result<std::uint32_t> mtuFor(const cni::Config& config, Host& host);

/// The attachment with these leases, one for each of the request's range sets. EINVAL where the bridge is to be a
/// gateway that IPAM does not name, and the container has its address.
netlib::Result<Attachment> attachmentFor(const cni::Request& request, NetnsId netns, std::uint32_t mtu,
                                         std::vector<Lease> leases);

/// Of the network that this is the configuration of; without those of addresses that are given by others.
std::vector<netlib::IpPrefix> subnetsOf(const cni::Config& config);

/// The attachment of a record, made whole for the way back: what the claims of a damaged one do not tell, the
/// configuration may, namely who else has heard of its addresses.
void fillIn(Record& record, const cni::Config& config);

/// What ADD answers, behind the results of earlier plugins.
cni::AddResult describe(const cni::Request& request, const Attachment& attachment, const Host& host);

}  // namespace pons
