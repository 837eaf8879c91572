// What attachments share. Each state in the kernel is a function of the references that the ledger has, whatever their
// order; joining and leaving both set it to that function.
//
//   state                           value            what the kernel has while there are references
//   bridge-<bridge>                 network          the bridge, up. MTU: the smallest of its ports, by the kernel
//                                                    itself (br_mtu_auto_adjust()); pons sets none
//   gateway-<link>-<address>        prefix length    the address on the bridge; another length is refused at the claim
//   forwarding-ipv4, -ipv6                           the sysctl is 1
//   tables-ip, -ip6, -bridge                         the nf_tables table "pons" of that family
//   vlans-<bridge>                                   vlan_filtering
//   vlan-<link>                                      the gateway's link of a VLAN, "<bridge>.<vid>". MTU: the bridge's
//   promiscuous-<bridge>                             IFF_PROMISC
//   filtered-<bridge>                                br_netfilter
//   tagged-frames                                    br_netfilter sees frames with a VLAN tag
//   internal-<link>                                  nothing is forwarded from or to the bridge
//   published-<link>                                 nothing is forwarded to the bridge but published ports and replies
//   silent-<link>                                    what a policy of the bridge denies is dropped, not rejected: one
//                                                    attachment with a policy and "onDeny": "drop" is enough
//   rejecting-<link>                                 it is rejected, unless it is silent
//   loopback-<link>                                  route_localnet
//   subnet-<subnet>                                  the subnet's chain, with its hairpin rule
//   masquerade-<network>-<hash>                      the chain of one network configuration
//   guarded-<hash>                                   a container's addresses pass at each of its ports of one network
//   ingress-<link>                  policy           the strictest policy. Isolated: all ports of pons are isolated
//   forward-<link>                  admin chain      accept rules, and a jump to each of the admin chains
//   resolvconf-<root>                                one owner; a second one is refused at the claim
//   ports-<container>                                each port leads to the first attachment that claimed it
//
// <link> is the bridge, or the gateway's link of its VLAN: see routedLink(). forward- exists for both.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/model/attachment.h"

namespace pons {

/// "name" or "name/value", safe as file names below holds/ of the ledger.
namespace shared_state {
std::string bridge(const Attachment& attachment);
/// The name alone: its values are the networks on the bridge.
std::string bridgeStem(const netlib::IfName& bridge);
std::string gateway(const Attachment& attachment, const netlib::IpPrefix& address);
std::string ipForwarding(netlib::Family family);
/// `family` as nft names it: "ip", "ip6", "bridge".
std::string tables(std::string_view family);
std::string vlanFiltering(const netlib::IfName& bridge);
/// Of the link that routedLink() names.
std::string vlanLink(const netlib::IfName& link);
/// The VLAN of such a name; nothing for other names.
std::optional<netlib::VlanId> vlanOf(std::string_view name);
std::string promiscuous(const Attachment& attachment);
std::string sourceNat(const Attachment& attachment, const SourceNat& nat);
/// From the name of the chain.
std::string sourceNat(const NetworkName& network, const std::string& chain);
std::string subnet(const netlib::IpPrefix& subnet);
/// Prefix of those names, and the inverse of subnet(); nothing for other names.
inline constexpr std::string_view kSubnetPrefix = "subnet-";
std::optional<netlib::IpPrefix> subnetOf(std::string_view name);
std::string guardedContainer(const AttachmentKey& key);
/// Attachments of one container that publish the same host port. Not in sharedStatesOf().
inline constexpr std::string_view kSharedPortsPrefix = "ports-";
std::string sharedPorts(const ContainerId& container);
std::string routeLocalnet(const Attachment& attachment);
/// The links whose packets the host's forward chains accept: the bridge, as bridged packets pass them with
/// br_netfilter, and routedLink().
std::vector<netlib::IfName> forwardedLinks(const Attachment& attachment);
std::string forwardAccept(const Attachment& attachment, const netlib::IfName& link);
/// The admin chain in a value of forwardAccept(); nothing where there is none.
std::optional<std::string> adminChainIn(std::string_view value);
/// Not for an attachment with policy "open".
std::string ingress(const Attachment& attachment);
std::string internal(const Attachment& attachment);
std::string publishedOnly(const Attachment& attachment);
std::string silent(const Attachment& attachment);
std::string rejecting(const Attachment& attachment);
std::string brNetfilter(const Attachment& attachment);
inline constexpr std::string_view kTaggedFrames = "tagged-frames";
/// True for an attachment whose policies are about tagged frames.
bool needsBrNetfilterOfVlans(const Attachment& attachment);
/// Longer than NAME_MAX if `root` is long.
std::string resolvConf(const std::string& root);
/// The inverse of resolvConf(); nothing for other names.
std::optional<std::string> rootOf(std::string_view name);

/// True where the states of that name have values.
bool hasValues(std::string_view name);
/// True where the states of that name are shared by attachments of one container only: "guarded", "resolvconf",
/// "ports".
bool isOfOneContainer(std::string_view name);
/// "name" of "name" and of "name/value".
std::string stem(std::string_view state);
/// "value" of "name/value"; empty without one.
std::string_view valueIn(std::string_view state);
}  // namespace shared_state

/// All shared states that the attachment references, in the order of the plan's shared steps.
std::vector<std::string> sharedStatesOf(const Attachment& attachment);

}  // namespace pons
