// Converts a request to an Attachment, and an Attachment to the result of ADD.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// The MTU in bytes; 0: the default of the kernel. "auto" is the smallest MTU among the links of the default routes, 0
/// without one. Invalid if that is below 1280 and the configuration has an IPv6 subnet.
netlib::Result<std::uint32_t> mtuFor(const cni::Config& config, Host& host);

/// The attachment with these leases, one per range set or fixed address of the request. A pure function: called while
/// the leases' reservation holds its locks. Invalid if isGateway is set, IPAM has no "gateway", and a lease is the
/// first address of its subnet, which would be the gateway.
netlib::Result<Attachment> attachmentFor(const cni::Request& request, NetnsId netns, std::uint32_t mtu,
                                         std::vector<Lease> leases);

/// For the log: what the configuration has and the attachment cannot, one sentence each.
std::vector<std::string> omissionsIn(const Attachment& attachment, const cni::Config& config);

/// The subnets in the configuration, without duplicates; not those of a delegated IPAM plugin.
std::vector<netlib::IpPrefix> subnetsOf(const cni::Config& config);

/// For the teardown of an attachment whose record was damaged (record.salvaged): sets `hostLocalDir` and `delegated`
/// from the configuration, which the claims do not contain. No effect on other records.
void completeFromConfig(Record& record, const cni::Config& config);

/// The result of ADD: bridge, host veth and container interface, appended to the previous result. Uses host.bridge,
/// which the step bridgePresent() sets.
cni::AddResult describe(const cni::Request& request, const Attachment& attachment, const Host& host);

}  // namespace pons
