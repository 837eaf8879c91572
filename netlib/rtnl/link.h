// Network interfaces. Never dumped as a whole: that takes 23 ms where 2,000 exist.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/if_name.h"
#include "netlib/values/mac_address.h"

namespace netlib::link {

/// The loopback interface has this index in every network namespace (LOOPBACK_IFINDEX of the kernel).
inline constexpr unsigned kLoopbackIndex = 1;

/// Whether what a bridge forwards passes iptables and nf_tables of that family (IFLA_BR_NF_CALL_IPTABLES and
/// _IP6TABLES).
struct BridgeFilter {
  bool ipv4 = false;
  bool ipv6 = false;

  friend bool operator==(const BridgeFilter&, const BridgeFilter&) = default;
};

/// What is asked of a link; fields that the kernel did not tell stay empty.
struct Link {
  unsigned index = 0;
  std::string name;
  std::string kind;  ///< "bridge", "veth", …; empty for physical links
  std::string alias;
  std::optional<MacAddress> mac;
  std::uint32_t mtu = 0;
  unsigned flags = 0;   ///< IFF_*
  unsigned master = 0;  ///< index of the bridge; 0 for none
  unsigned peer = 0;    ///< index of a veth's other end in its own namespace; 0 for none
  /// That namespace as the socket's one numbers it; nothing where it is the same.
  std::optional<std::uint32_t> peerNetns = std::nullopt;
  std::uint32_t transmitQueueLength = 0;  ///< packets
  std::uint32_t group = 0;                ///< IFLA_GROUP, by which rules of nf_tables can tell links
  bool hairpin = false;
  bool isolated = false;
  BridgeFilter filter = {};     ///< of a bridge
  bool routesLoopback = false;  ///< net.ipv4.conf.<name>.route_localnet; false also where the kernel does not tell

  bool up() const;
  bool promiscuous() const;
  bool allMulticast() const;
};

/// ENODEV where there is none.
Result<Link> find(Socket& socket, const IfName& name);
Result<Link> find(Socket& socket, unsigned index);

/// The end in the socket's namespace of a veth whose other end is `inside`, a link of the namespace with descriptor
/// `netns`. ENODEV where that is no veth, or one with its other end elsewhere.
Result<Link> findOtherEnd(Socket& socket, int netns, const Link& inside);

/// The ports of a bridge, and all links of a kind. Dumps that the kernel filters; not for the path of an ADD.
Result<std::vector<Link>> portsOf(Socket& socket, unsigned bridgeIndex);
Result<std::vector<Link>> ofKind(Socket& socket, const std::string& kind);

/// Since the link was made.
struct Statistics {
  std::uint64_t receivedBytes = 0;
  std::uint64_t receivedPackets = 0;
  std::uint64_t receivedDropped = 0;  ///< packets
  std::uint64_t sentBytes = 0;
  std::uint64_t sentPackets = 0;
  std::uint64_t sentDropped = 0;  ///< packets
};
/// ENODEV where there is no such link.
Result<Statistics> statisticsOf(Socket& socket, unsigned index);

struct NewBridge {
  IfName name;
  MacAddress mac;  ///< explicit, so that neither udev nor a joining port changes it
  std::uint32_t mtu = 0;
};
/// Made and up, or nothing: EEXIST where the name is taken. The kernel takes no alias at birth.
Result<> createBridge(Socket& socket, const NewBridge& bridge);
Result<> setAlias(Socket& socket, const IfName& name, const std::string& alias);

/// What a bridge does with a port: send frames back to where they came from, keep it apart from other such ports.
struct PortFlags {
  bool hairpin = false;
  bool isolated = false;
};

struct NewVeth {
  IfName hostName;
  MacAddress hostMac;
  std::string alias;    ///< of the host end
  std::uint32_t group;  ///< of the host end; 0: the default one
  unsigned master;      ///< index of the bridge
  PortFlags port;

  IfName peerName;
  MacAddress peerMac;
  int peerNetns;  ///< descriptor of the namespace in which the peer is born

  std::uint32_t mtu = 0;  ///< of both ends; 0: the kernel's default
};
/// Makes both ends at once, the host end up and in its bridge; the peer stays down, as its up flag cannot ride along
/// (ENOTCONN). Answers the peer's index in its namespace where the kernel echoes it (Linux 6.2), else nothing.
/// EEXIST: either name is taken. EXFULL: the bridge has its 1023 ports. On any error neither end exists.
Result<std::optional<unsigned>> createVeth(Socket& socket, const NewVeth& veth);

struct NewIfb {
  IfName name;
  std::string alias;
  std::uint32_t mtu = 0;  ///< bytes; 0: the kernel's default
};
/// Makes a link whose way out leads back to where a packet came from, so that a queueing discipline can work on what
/// arrives at another link. Up, or not there. EEXIST where the name is taken; EOPNOTSUPP where this kernel has no ifb.
Result<> createIfb(Socket& socket, const NewIfb& ifb);

/// Succeeds where this kernel can make links of that kind ("bridge", "veth", "ifb"); makes none.
Result<> probe(Socket& socket, const std::string& kind);

/// ENODEV where there is none. Takes both ends of a veth.
Result<> remove(Socket& socket, const IfName& name);
Result<> remove(Socket& socket, unsigned index);

/// Requests for a batch.
void appendSetUp(Batch& batch, unsigned index);
/// The same, and from then on the kernel announces the link's IPv4 addresses (gratuitous ARP) whenever its MAC is set
/// or it comes up: net.ipv4.conf.<link>.arp_notify. For IPv6 there is only the sysctl ndisc_notify.
void appendSetUpAnnouncing(Batch& batch, unsigned index);
void appendSetMac(Batch& batch, unsigned index, const MacAddress& mac);
void appendSetMtu(Batch& batch, unsigned index, std::uint32_t mtu);
void appendSetTransmitQueueLength(Batch& batch, unsigned index, std::uint32_t packets);
void appendSetGroup(Batch& batch, unsigned index, std::uint32_t group);
void appendSetMaster(Batch& batch, unsigned index, unsigned bridge);
/// Of a link that is a port of a bridge.
void appendSetPort(Batch& batch, unsigned index, PortFlags flags);
void appendSetFilter(Batch& batch, unsigned bridge, BridgeFilter filter);
/// Sets the flags of `mask` (IFF_*) to their value in `flags`.
void appendSetFlags(Batch& batch, unsigned index, unsigned flags, unsigned mask);

}  // namespace netlib::link
