// One factory for each step; the step itself is the .cpp file of that name. `attachment`, and what is passed beside it
// by reference, must outlive the step. What is said of an attachment here, the caller has made sure of.
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/firewall/bridge_policies.h"
#include "plugin/steps/step.h"

namespace pons {

// Leases that are recorded elsewhere, too; reserved together with the attachment's record.

/// Lease files of the host-local IPAM plugin, so that plugins which read only those do not lease the addresses again.
/// For an attachment with `hostLocalDir`.
StepPointer hostLocalFiles(const Attachment& attachment);
/// The leases of a foreign IPAM plugin, whose ADD came before the claim. For an attachment with `delegated`.
StepPointer delegatedAddresses(const Attachment& attachment);

// Shared states, each with its reference count in the ledger.

/// The bridge exists and is up, and its MAC does not follow its ports'. Created where it is missing, with the MAC that
/// it had if it was deleted under living containers; a bridge that pons has not created is used as it is. The MTU is
/// the kernel's business: the smallest of the ports'.
StepPointer bridgePresent(const Attachment& attachment);
/// The bridge filters VLANs. Unsupported, with the option's name, where the kernel cannot. For an attachment with
/// `vlans`.
StepPointer vlanFiltering(const Attachment& attachment);
/// The gateway's link in the attachment's VLAN, "<bridge>.<vid>". For an attachment with gatewayVlan().
StepPointer vlanLink(const Attachment& attachment);
/// The bridge receives frames for any MAC.
StepPointer bridgePromiscuous(const Attachment& attachment);
/// The bridge has one of the containers' gateway addresses.
StepPointer gatewayAddress(const Attachment& attachment, const netlib::IpPrefix& address);
/// net.ipv4.ip_forward or net.ipv6.conf.all.forwarding is 1.
StepPointer ipForwardingEnabled(netlib::Family family);
/// The table "pons" of nf_tables in that family, with the chains, sets and maps that are there for all containers.
StepPointer tablesPresent(const Attachment& attachment, netlib::nft::TableFamily family);
/// Traffic between ports of the bridge passes the IP hooks of netfilter (br_netfilter), where egress policies are
/// enforced: the bridge family of nf_tables tracks connections only with CONFIG_NF_CONNTRACK_BRIDGE.
StepPointer brNetfilterEnabled(const Attachment& attachment);
/// The same of frames with a VLAN tag: those of a trunk with an egress policy.
StepPointer taggedFramesFiltered(const Attachment& attachment);
/// The bridge is in the sets of the restriction: nothing is forwarded out of it or into it ("internal"), only published
/// ports and replies into it, or what its policies deny is dropped without an answer, or rejected.
StepPointer bridgeRestricted(const Attachment& attachment, bridges::Restriction restriction);
/// Published IPv4 ports answer at the host's 127.0.0.1 (route_localnet), while containers of the bridge still cannot
/// reach what listens there.
StepPointer routeLocalnet(const Attachment& attachment);
/// Packets from the subnet go to the subnet's chain, which masquerades connections of a container to its own published
/// port and jumps to the chains of networks.
StepPointer subnetChain(const Attachment& attachment, const netlib::IpPrefix& subnet);
/// The chain of one network configuration: exclusions, then masquerade.
StepPointer masqueradeChain(const Attachment& attachment, const SourceNat& nat);
/// A container with several interfaces in one network may send from all of its addresses at each of them. For an
/// attachment whose spoof guard includes addresses.
StepPointer guardedInterfaces(const Attachment& attachment);
/// The bridge is in the sets of the strictest ingress policy that is referenced. Where that is "isolated", every port
/// of the bridge that pons has created is isolated by the bridge itself, too, which covers what never reaches IP.
StepPointer ingressPolicyApplied(const Attachment& attachment);
/// The host's other forward chains accept the traffic of `link`, one of shared_state::forwardedLinks().
StepPointer forwardAccepted(const Attachment& attachment, const netlib::IfName& link);

// What is this attachment's alone.

/// /etc/resolv.conf in the container's root directory has the network's DNS servers. For an attachment with
/// `resolvConf`.
StepPointer resolvConfPresent(const Attachment& attachment);
/// undo() deletes the conntrack entries of the container's addresses; of an attachment without leases, those of its
/// published ports.
StepPointer conntrackFlushed(const Attachment& attachment);
/// The veth pair: one end is a port of the bridge, the other the container's interface.
StepPointer vethPair(const Attachment& attachment);
/// The port is in the VLANs of the settings. For an attachment with `vlans`.
StepPointer portVlans(const Attachment& attachment);
/// The container's own elements of nf_tables sets and maps: published ports, masquerade, spoof guard, egress policy.
/// The same transaction adds what is shared (tables::sharedElementsOf).
StepPointer nftElements(const Attachment& attachment);
/// A token bucket on the host end of the veth for traffic to the container, and one on an ifb for traffic from it. For
/// an attachment with `bandwidth`, whichever plugin has created the veth.
StepPointer bandwidthLimited(const Attachment& attachment);
/// lo and the interface are up inside the container, with addresses and routes.
StepPointer containerAddresses(const Attachment& attachment);
/// Sysctls and link settings of the container. For an attachment with `tuning` and `savedTuning`.
StepPointer containerTuned(const Attachment& attachment);
/// Gratuitous ARP and unsolicited neighbour advertisements for the container's addresses.
StepPointer neighboursAnnounced(const Attachment& attachment);

/// The current values of the settings that `wanted` has. ENOENT where the kernel lacks one of the sysctls.
netlib::Result<Tuning> currentTuning(Container& container, const netlib::IfName& ifName, const Tuning& wanted);

}  // namespace pons
