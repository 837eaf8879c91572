// The attachment of one container to one network, as plain data. Steps apply, undo and verify from this data alone. The
// ledger stores it as JSON, so that DEL needs neither the network namespace nor the configuration of the ADD.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlib/values/ip_prefix.h"
#include "netlib/values/mac_address.h"
#include "netlib/values/vlan.h"

#include "plugin/model/address_span.h"
#include "plugin/model/names.h"

namespace pons {

/// 1..65535, checked by the parser.
using Port = std::uint16_t;

/// The numbers are the kernel's (IPPROTO_*).
enum class Protocol : std::uint8_t { Tcp = 6, Udp = 17, Sctp = 132 };

/// Empty for any other number.
std::string_view nameOf(Protocol protocol);
/// "tcp", "udp", "sctp", case-insensitive.
std::optional<Protocol> parseProtocol(std::string_view text);

/// One reserved address, with the prefix length of its subnet.
struct Lease {
  netlib::IpPrefix address;
  std::optional<netlib::IpAddress> gateway;

  friend bool operator==(const Lease&, const Lease&) = default;
};

/// A route inside the container (CNI 1.1.0 "routes"). 0 means "not set" for mtu, advmss (bytes) and priority.
struct Route {
  netlib::IpPrefix destination;
  std::optional<netlib::IpAddress> gateway;
  std::uint32_t mtu = 0;
  std::uint32_t advmss = 0;
  std::uint32_t priority = 0;
  std::optional<std::uint32_t> table = std::nullopt;
  std::optional<std::uint8_t> scope = std::nullopt;

  friend bool operator==(const Route&, const Route&) = default;
};

/// A published port in one family. An unspecified hostAddress means every address of the host in that family.
struct PortForward {
  Protocol protocol;
  netlib::IpAddress hostAddress;
  Port hostPort;
  netlib::IpAddress target;
  Port targetPort;
  /// The clients that may connect, besides the host itself; empty: all. Of both families, without host bits or overlap.
  std::vector<netlib::IpPrefix> allowFrom = {};

  friend bool operator==(const PortForward&, const PortForward&) = default;
};

/// Source NAT of one family of the network. If `masquerade` is set, it becomes one nf_tables chain, shared by all
/// attachments with an equal SourceNat.
struct SourceNat {
  std::vector<netlib::IpPrefix> subnets;       ///< of the network and of one family; never empty, no host bits
  bool masquerade;                             ///< false: only connections to published ports from `subnets` (hairpin)
  std::vector<netlib::IpPrefix> destinations;  ///< never masqueraded, in addition to `subnets` and multicast

  netlib::Family family() const { return subnets.front().family(); }

  friend bool operator==(const SourceNat&, const SourceNat&) = default;
};

/// Settings of an interface in the container and sysctls of its network namespace. Absent ones are not changed.
struct Tuning {
  std::map<std::string, std::string> sysctls;  ///< by name, "net/ipv4/conf/eth0/arp_filter"; all below net/
  std::optional<netlib::MacAddress> mac;
  std::optional<std::uint32_t> mtu;  ///< bytes, never 0
  std::optional<bool> promiscuous;
  std::optional<bool> allMulticast;
  std::optional<std::uint32_t> transmitQueueLength;  ///< packets

  friend bool operator==(const Tuning&, const Tuning&) = default;
};

/// Which containers may open connections to the containers of a bridge. Other hosts are not restricted.
enum class IngressPolicy : std::uint8_t {
  Open,        ///< all
  SameBridge,  ///< those on the same bridge and on bridges without a policy
  Isolated,    ///< those on bridges without a policy
};

/// "open", "same-bridge", "isolated"
std::string_view nameOf(IngressPolicy policy);
std::optional<IngressPolicy> parseIngressPolicy(std::string_view text);

/// What happens to packets that a policy does not allow.
enum class OnDeny : std::uint8_t {
  Reject,  ///< the sender gets a TCP reset or an ICMP error
  Drop,
};

/// "reject", "drop"
std::string_view nameOf(OnDeny onDeny);
std::optional<OnDeny> parseOnDeny(std::string_view text);

/// Anti-spoofing on the bridge port of a container: which frames from the container pass.
enum class SpoofGuard : std::uint8_t {
  None,     ///< all
  Mac,      ///< those with its MAC address as source
  Address,  ///< those with its MAC and IP addresses as source; no DHCP server replies, no router advertisements
};

/// "none", "mac", "address"
std::string_view nameOf(SpoofGuard guard);
std::optional<SpoofGuard> parseSpoofGuard(std::string_view text);

/// The destinations to which a container may open connections. All others are denied, see OnDeny; replies pass.
/// Empty tcpPorts and udpPorts: all ports and protocols of the destinations.
struct EgressPolicy {
  std::vector<netlib::IpPrefix> destinations;  ///< no host bits, no overlap
  std::vector<Port> tcpPorts;
  std::vector<Port> udpPorts;
  std::vector<netlib::IpAddress> nameservers;  ///< allowed at port 53, TCP and UDP
  bool logDenied = true;

  friend bool operator==(const EgressPolicy&, const EgressPolicy&) = default;
};

/// Bits per second: one byte, the kernel's unit (struct tc_ratespec).
inline constexpr std::uint64_t kMinRate = 8;

/// Rate limit of one direction.
struct RateLimit {
  std::uint64_t rate;   ///< bits per second, at least kMinRate
  std::uint64_t burst;  ///< bits; raised to the size of one packet if smaller

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// An absent limit means unlimited.
struct Bandwidth {
  std::optional<RateLimit> ingress = std::nullopt;  ///< to the container
  std::optional<RateLimit> egress = std::nullopt;

  friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

struct BridgeSettings {
  netlib::IfName name = *netlib::IfName::parse("pons0");
  bool gateway = true;  ///< the bridge has the leases' gateway addresses, and the host forwards IP packets
  bool promiscuous = false;
  bool forceAddress = false;

  friend bool operator==(const BridgeSettings&, const BridgeSettings&) = default;
};

/// The VLANs of a container's port, on a bridge that then filters them. One of `untagged` and `trunk` at least.
struct PortVlans {
  static constexpr netlib::VlanId kNative = 1;  ///< as the reference plugin has it, whatever the bridge's default is
  std::optional<netlib::VlanId> untagged = std::nullopt;  ///< of frames without a tag; none in a trunk: kNative
  std::vector<netlib::VlanRange> trunk = {};              ///< with a tag; ascending, without overlap
  bool keepsDefault = false;  ///< the port stays in the bridge's default VLAN as well (vlan_default_pvid)

  friend bool operator==(const PortVlans&, const PortVlans&) = default;
};

/// st_dev and st_ino of a network namespace, to check whether a path still refers to the same one.
struct NetnsId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const NetnsId&, const NetnsId&) = default;
};

/// Another IPAM plugin that assigned the addresses, and the parameters for its DEL and CHECK.
struct DelegatedIpam {
  std::string type;    ///< the program's name, searched in CNI_PATH
  std::string config;  ///< the network configuration of the ADD, as received on stdin
  std::string args;    ///< CNI_ARGS of the ADD

  friend bool operator==(const DelegatedIpam&, const DelegatedIpam&) = default;
};

/// The resolv.conf that is mounted in the root file system of the container.
struct ResolvConf {
  std::string root;     ///< path of the root file system on the host, absolute
  std::string content;  ///< lines as in resolv.conf(5)

  friend bool operator==(const ResolvConf&, const ResolvConf&) = default;
};

/// What the configuration, the runtime's arguments included, says about an attachment and its record keeps. Free of
/// contradictions: hairpin and promiscuous exclude each other, for example.
struct AttachmentSettings {
  std::string pod = {};  ///< "namespace/name" of CNI_ARGS; empty without one
  BridgeSettings bridge = {};
  std::optional<PortVlans> vlans = std::nullopt;  ///< nothing: the VLANs that a new port of the bridge gets
  bool hairpin = true;
  bool isolated = false;                  ///< IFLA_BRPORT_ISOLATED; implied by IngressPolicy::Isolated
  bool detectDuplicateAddresses = false;  ///< IPv6 DAD inside the container
  bool containerInterfaceDown = false;
  bool acceptForward = false;                            ///< accept rules in the forward chains of the host's firewall
  std::optional<std::string> adminChain = std::nullopt;  ///< chain of the host's firewall, evaluated before them
  IngressPolicy ingress = IngressPolicy::Open;           ///< of the bridge
  bool internal = false;                                 ///< nothing is forwarded from or to the bridge
  bool publishedOnly = false;                            ///< to the bridge: only published ports and replies
  OnDeny onDeny = OnDeny::Reject;                        ///< of the ingress policies, the egress policy and the above
  SpoofGuard guard = SpoofGuard::None;
  std::optional<EgressPolicy> egress = std::nullopt;      ///< requires SpoofGuard::Address
  std::optional<DelegatedIpam> delegated = std::nullopt;  ///< the IPAM plugin that DEL calls to free the leases
  bool loopbackPorts = true;   ///< published IPv4 ports are also reachable at the host's 127.0.0.1
  bool masqueradeAll = false;  ///< connections to published ports are masqueraded, whatever their source
  std::optional<Tuning> tuning = std::nullopt;
  std::optional<Bandwidth> bandwidth = std::nullopt;

  friend bool operator==(const AttachmentSettings&, const AttachmentSettings&) = default;
};

struct Attachment : AttachmentSettings {
  AttachmentKey key;
  netlib::IfName hostVeth;                     ///< hostVethName(key); chained plugins: the one in prevResult
  std::vector<netlib::IfName> hostLinks = {};  ///< chained plugins: the host interfaces in prevResult
  netlib::MacAddress hostMac = netlib::MacAddress{netlib::MacAddress::Bytes{}};
  netlib::MacAddress containerMac = netlib::MacAddress{netlib::MacAddress::Bytes{}};
  std::uint32_t mtu = 0;       ///< bytes; 0: the kernel's default
  std::string netnsPath = {};  ///< CNI_NETNS of the ADD, for results and messages only
  NetnsId netns = {};

  std::vector<Lease> leases = {};
  std::vector<AddressSpan> pool = {};  ///< the ranges from which the network leases; none for fixed addresses
  std::optional<std::string> hostLocalDir = std::nullopt;  ///< host-local's "dataDir", which has the leases as well
  std::vector<Route> routes = {};
  std::vector<SourceNat> sourceNats = {};  ///< at most one per family
  std::vector<PortForward> forwards = {};

  std::optional<Tuning> savedTuning = std::nullopt;  ///< the values that `tuning` replaced, for DEL
  std::optional<ResolvConf> resolvConf = std::nullopt;

  friend bool operator==(const Attachment&, const Attachment&) = default;
};

/// An attachment with only a key and a bridge: no addresses, no ports, MACs all zero. For a chained plugin `bridge` is
/// the one through which the host reaches the container, and not a gateway.
Attachment bareAttachment(const AttachmentKey& key, const netlib::IfName& bridge);

/// Digits of a shortened container ID, as docker, podman and crictl print it.
inline constexpr std::size_t kShortId = 12;

/// For messages: "default/web-0 (container 0123456789ab)", or "container <id>" without a pod.
std::string containerText(const Attachment& attachment);
/// "container 0123456789abcdef (eth0)", or with a pod "default/web-0 (container 0123456789ab, eth0)".
std::string interfaceText(const AttachmentKey& key, const std::string& pod);

/// The name of the veth on the host. Derived from the key, so that DEL finds it without the network namespace.
netlib::IfName hostVethName(const AttachmentKey& key);
/// The text as a name, if hostVethName() could give it for some key.
std::optional<netlib::IfName> parseHostVethName(std::string_view text);

/// The name of the ifb that shapes what the container sends. Derived from the key.
netlib::IfName ifbName(const AttachmentKey& key);

/// The name of the nf_tables chain for this SourceNat. Contains a hash of its content, so that a changed configuration
/// gets a new chain and existing attachments keep theirs.
std::string chainOf(const Attachment& attachment, const SourceNat& nat);
/// Whether chainOf() could give that name.
bool isNetworkChain(std::string_view chain);

/// The link by which the host's IP stack reaches the containers: the bridge, or "<bridge>.<vid>", the gateway's link in
/// their VLAN. Rules that are about IP packets name it. A VLAN without a gateway has none, and the bridge is named.
netlib::IfName routedLink(const Attachment& attachment);
/// The VLAN for which there is such a link.
std::optional<netlib::VlanId> gatewayVlan(const AttachmentSettings& settings);
/// Nothing where "<bridge>.<vid>" is no name of a link: longer than 15 bytes.
std::optional<netlib::IfName> gatewayLinkName(const netlib::IfName& bridge, netlib::VlanId vlan);

/// The gateway addresses that the bridge has for this attachment, with the subnet's prefix length, without duplicates.
/// Empty if the bridge is not a gateway.
std::vector<netlib::IpPrefix> gatewayAddresses(const Attachment& attachment);

/// Whether it has a policy that is about packets from or to its bridge.
bool hasBridgePolicy(const AttachmentSettings& settings);

/// Whether it needs the nf_tables table of that family, and the sysctl route_localnet.
bool needsTable(const Attachment& attachment, netlib::Family family);
bool needsRouteLocalnet(const Attachment& attachment);

/// The subnets whose packets need source NAT for this attachment: those of its network if it is masqueraded, and those
/// that contain the target of a published port (hairpin).
std::vector<netlib::IpPrefix> sourceSubnets(const Attachment& attachment);

/// The source addresses that the spoof guard and the egress policy allow: the leases and the link-local IPv6 address.
/// With an egress policy the latter only if there is an IPv6 lease.
std::vector<netlib::IpAddress> sourcesOf(const Attachment& attachment);

}  // namespace pons
