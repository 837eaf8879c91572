// Network interfaces. There is no list of all: the dump takes 23 ms with 2,000 interfaces.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/if_name.h"
#include "netlib/values/mac_address.h"
#include "netlib/values/vlan.h"

namespace netlib::link {

/// LOOPBACK_IFINDEX of the kernel.
inline constexpr unsigned kLoopbackIndex = 1;

/// br_netfilter for this bridge: bridged IPv4 or IPv6 packets pass the IP hooks of iptables and nf_tables
/// (IFLA_BR_NF_CALL_IPTABLES, IFLA_BR_NF_CALL_IP6TABLES).
struct BrNetfilter {
  bool ipv4 = false;
  bool ipv6 = false;

  friend bool operator==(const BrNetfilter&, const BrNetfilter&) = default;
};

/// VLAN filtering of a bridge.
struct BridgeVlans {
  bool filtering = false;  ///< IFLA_BR_VLAN_FILTERING: frames pass between ports of their VLAN only
  VlanId defaultPvid = 0;  ///< untagged at each new port (IFLA_BR_VLAN_DEFAULT_PVID); 0: none

  friend bool operator==(const BridgeVlans&, const BridgeVlans&) = default;
};

/// Fields that are missing in the kernel's answer keep their default.
struct Link {
  unsigned index = 0;
  std::string name;
  std::string kind;  ///< "bridge", "veth", …; empty for physical links
  std::string alias;
  std::optional<MacAddress> mac;
  std::uint32_t mtu = 0;
  unsigned flags = 0;   ///< IFF_*
  unsigned master = 0;  ///< index of the bridge; 0 for none
  /// Index of a veth's peer in the peer's namespace, or of the link below a VLAN's; 0 for none.
  unsigned peer = 0;
  /// nsid of the peer's namespace in the socket's namespace (ip-netns(8)); nothing if both are the same.
  std::optional<std::uint32_t> peerNetns = std::nullopt;
  std::uint32_t transmitQueueLength = 0;  ///< packets
  std::uint32_t group = 0;                ///< IFLA_GROUP; meta iifgroup in nft
  bool hairpin = false;
  bool isolated = false;
  BrNetfilter brNetfilter = {};  ///< of a bridge
  /// Of a bridge; nothing where the kernel lacks CONFIG_BRIDGE_VLAN_FILTERING.
  std::optional<BridgeVlans> bridgeVlans = std::nullopt;
  VlanId vlan = 0;             ///< of a link of kind "vlan"
  bool routeLocalnet = false;  ///< net.ipv4.conf.<name>.route_localnet

  bool up() const;
  bool promiscuous() const;
  bool allMulticast() const;
};

/// ENODEV if there is none.
Result<Link> find(Socket& socket, const IfName& name);
Result<Link> find(Socket& socket, unsigned index);

/// The link in the socket's namespace that is the peer of the veth `inside`, a link of the namespace with descriptor
/// `netns`. Missing: `inside` is not a veth, or its peer is in another namespace.
Result<Link> findPeer(Socket& socket, int netns, const Link& inside);

/// The ports of a bridge, and all links of a kind. Dumps filtered by the kernel, but it visits all links: too slow for
/// ADD.
Result<std::vector<Link>> portsOf(Socket& socket, unsigned bridgeIndex);
Result<std::vector<Link>> ofKind(Socket& socket, const std::string& kind);

/// Since the link was created.
struct Statistics {
  std::uint64_t receivedBytes = 0;
  std::uint64_t receivedPackets = 0;
  std::uint64_t receivedDropped = 0;  ///< packets
  std::uint64_t sentBytes = 0;
  std::uint64_t sentPackets = 0;
  std::uint64_t sentDropped = 0;  ///< packets
};
/// ENODEV if there is no such link.
Result<Statistics> statisticsOf(Socket& socket, unsigned index);

struct NewBridge {
  IfName name;
  MacAddress mac;  ///< explicit, so that neither udev nor a new port changes it (NET_ADDR_SET)
};
/// Created and up, or not created: EEXIST if the name exists. The kernel ignores IFLA_IFALIAS on creation. Its MTU is
/// the smallest of its ports' until a program sets it (br_mtu_auto_adjust()).
Result<> createBridge(Socket& socket, const NewBridge& bridge);
Result<> setAlias(Socket& socket, const IfName& name, const std::string& alias);

/// bridge(8): hairpin (frames may leave by the port that they arrived at), isolated (no frames between isolated ports).
struct PortFlags {
  bool hairpin = false;
  bool isolated = false;
};

struct NewVeth {
  IfName hostName;
  MacAddress hostMac;
  std::string alias;            ///< of the host end
  std::uint32_t group;          ///< of the host end; 0: the default one
  unsigned master;              ///< index of the bridge
  std::uint32_t masterMtu = 0;  ///< of the bridge, if known
  PortFlags port;

  IfName peerName;
  MacAddress peerMac;
  int peerNetns;  ///< descriptor of the namespace in which the peer is created

  std::uint32_t mtu = 0;  ///< of both ends; 0: the kernel's default
};
struct CreatedVeth {
  std::optional<unsigned> index = {};      ///< of the host end, if the kernel echoes it (Linux 6.2)
  std::optional<unsigned> peerIndex = {};  ///< in the peer's namespace, likewise
  std::optional<Link> bridge = {};         ///< with the new port; only where its MTU may have changed
};
/// Creates both ends, the host end up and a port of the bridge. The peer is down: the kernel refuses IFF_UP for it
/// (ENOTCONN). EEXIST: either name exists; a link of the host's name that is a port of a bridge has then got the alias
/// and the port flags, any other is unchanged. EXFULL: the bridge has 1023 ports. On any error of the kernel neither
/// end has been created.
Result<CreatedVeth> createVeth(Socket& socket, const NewVeth& veth);
/// For the host end of a veth whose peer has come up. A bridge port forwards once the kernel has processed its carrier
/// event: when it is read (Linux 6.8), or up to a second later. It then also gets a multicast route of IPv6, of which
/// it has no use, and the kernel walks all routes of the host for each link that comes, changes or goes
/// (fib6_clean_all()): with `index`, that of the link, the route is removed. ENODEV: no such link.
Result<> settlePort(Socket& socket, const IfName& name, std::optional<unsigned> index);

struct NewIfb {
  IfName name;
  std::string alias;
  std::uint32_t mtu = 0;  ///< bytes; 0: the kernel's default
};
/// An intermediate functional block: its qdisc shapes packets that a filter redirects from the ingress of another link.
/// Created and up, or not created. EEXIST: the name exists. EOPNOTSUPP: the kernel has no ifb.
Result<> createIfb(Socket& socket, const NewIfb& ifb);

struct NewVlan {
  IfName name;
  std::string alias;
  unsigned below;  ///< index of the link whose tagged frames it has; both have the same MTU and MAC
  VlanId id;
};
/// A link of kind "vlan" (CONFIG_VLAN_8021Q), created and up, or not created. EEXIST: the name, or a link of that VLAN,
/// exists.
Result<> createVlan(Socket& socket, const NewVlan& vlan);

/// Succeeds if the kernel supports links of that kind ("bridge", "veth", "ifb"); loads its module, creates no link.
Result<> probe(Socket& socket, const std::string& kind);

/// ENODEV if there is none. Removes both ends of a veth.
Result<> remove(Socket& socket, const IfName& name);
Result<> remove(Socket& socket, unsigned index);

/// Requests for a batch.
void appendSetUp(Batch& batch, unsigned index);
/// The same, and sets net.ipv4.conf.<link>.arp_notify: the kernel sends gratuitous ARP when the MAC is set or the link
/// comes up. ndisc_notify, its IPv6 counterpart, can only be set by sysctl.
void appendSetUpAnnouncing(Batch& batch, unsigned index);
/// net.ipv4.conf.<link>.route_localnet, also where /proc/sys is read-only.
void appendSetRouteLocalnet(Batch& batch, unsigned index, bool on);
void appendSetMac(Batch& batch, unsigned index, const MacAddress& mac);
void appendSetMtu(Batch& batch, unsigned index, std::uint32_t mtu);
void appendSetTransmitQueueLength(Batch& batch, unsigned index, std::uint32_t packets);
void appendSetGroup(Batch& batch, unsigned index, std::uint32_t group);
void appendSetMaster(Batch& batch, unsigned index, unsigned bridge);
/// The link is a port of a bridge.
void appendSetPort(Batch& batch, unsigned index, PortFlags flags);
void appendSetBrNetfilter(Batch& batch, unsigned bridge, BrNetfilter settings);
/// Sets the flags of `mask` (IFF_*) to their value in `flags`.
void appendSetFlags(Batch& batch, unsigned index, unsigned flags, unsigned mask);

}  // namespace netlib::link
