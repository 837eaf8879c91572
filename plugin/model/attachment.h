// One container's place on one network, as plain data. Everything that a step does, undoes or verifies follows from it
// alone; the ledger keeps it as JSON, and so DEL needs neither the namespace nor the configuration of the ADD.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlib/values/ip_prefix.h"
#include "netlib/values/mac_address.h"

#include "plugin/model/names.h"

namespace pons {

/// 1..65535; built by the parser only after the range was checked.
using Port = std::uint16_t;

/// The numbers are the kernel's (IPPROTO_*).
enum class Protocol : std::uint8_t { Tcp = 6, Udp = 17, Sctp = 132 };

/// Empty for a number that is none of ours.
std::string_view nameOf(Protocol protocol);
/// "tcp", "udp", "sctp" in any case; nothing otherwise.
std::optional<Protocol> parseProtocol(std::string_view text);

/// One reserved address. `address` bears the subnet's prefix length.
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

/// A published port in one family. An unspecified hostAddress stands for every address of the host in that family.
struct PortForward {
  Protocol protocol;
  netlib::IpAddress hostAddress;
  Port hostPort;
  netlib::IpAddress target;
  Port targetPort;

  friend bool operator==(const PortForward&, const PortForward&) = default;
};

/// How one family of the network leaves the host. Where it is masqueraded, the steps make one nf_tables chain from it,
/// shared by all attachments whose SourceNat is equal; each attachment goes by the chain of its own.
struct SourceNat {
  netlib::Family family;
  std::vector<netlib::IpPrefix> subnets;       ///< of the network; never empty, no host bits
  bool masquerade;                             ///< false: only published ports that are used from inside are
  std::vector<netlib::IpPrefix> destinations;  ///< never masqueraded, beyond the subnets and multicast

  friend bool operator==(const SourceNat&, const SourceNat&) = default;
};

/// What is set on an interface in the container and on its namespace; what is absent is left as it is.
struct Tuning {
  std::map<std::string, std::string> sysctls;  ///< by name, "net/ipv4/conf/eth0/arp_filter"; all below net/
  std::optional<netlib::MacAddress> mac;
  std::optional<std::uint32_t> mtu;  ///< bytes, never 0
  std::optional<bool> promiscuous;
  std::optional<bool> allMulticast;
  std::optional<std::uint32_t> transmitQueueLength;  ///< packets

  friend bool operator==(const Tuning&, const Tuning&) = default;
};

/// Which containers may begin to talk to those of a bridge, beside the outside.
enum class IngressPolicy : std::uint8_t {
  Open,        ///< any
  SameBridge,  ///< those of the same bridge, and of bridges without a policy
  Isolated,    ///< those of bridges without a policy
};

/// "open", "same-bridge", "isolated"
std::string_view nameOf(IngressPolicy policy);
std::optional<IngressPolicy> parseIngressPolicy(std::string_view text);

/// What the host makes sure of in the frames that come from a container's port.
enum class SenderGuard : std::uint8_t {
  None,
  Mac,      ///< they bear its MAC address
  Address,  ///< and its addresses; it answers no DHCP and advertises no routes
};

/// "none", "mac", "address"
std::string_view nameOf(SenderGuard guard);
std::optional<SenderGuard> parseSenderGuard(std::string_view text);

/// Whom a container may begin to talk to. Everything else is dropped.
struct EgressPolicy {
  std::vector<netlib::IpPrefix> destinations;  ///< no host bits, and none inside of another
  std::vector<Port> tcpPorts;                  ///< of the destinations; where there are none of
  std::vector<Port> udpPorts;                  ///< either kind: all, and any other protocol
  std::vector<netlib::IpAddress> nameservers;  ///< by DNS, at port 53
  bool logDenied = true;

  friend bool operator==(const EgressPolicy&, const EgressPolicy&) = default;
};

/// One byte a second: the kernel counts in bytes.
inline constexpr std::uint64_t kMinRate = 8;

/// How fast one direction may be.
struct RateLimit {
  std::uint64_t rate;   ///< bits a second; at least kMinRate
  std::uint64_t burst;  ///< bits that may pass at once after a pause; what a packet needs is granted in any case

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// Nothing: as fast as it goes.
struct Bandwidth {
  std::optional<RateLimit> ingress = std::nullopt;  ///< towards the container
  std::optional<RateLimit> egress = std::nullopt;

  friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

struct BridgeSettings {
  netlib::IfName name;
  bool gateway = true;  ///< the bridge bears the leases' gateway addresses, and the host forwards
  bool promiscuous = false;
  bool forceAddress = false;

  friend bool operator==(const BridgeSettings&, const BridgeSettings&) = default;
};

/// Which namespace a path named when it was opened: a recycled path names another.
struct NetnsId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const NetnsId&, const NetnsId&) = default;
};

/// A foreign IPAM plugin that gave the addresses, and what it takes to call it again.
struct DelegatedIpam {
  std::string type;    ///< the program's name in the directories of CNI_PATH
  std::string config;  ///< the network configuration of the ADD, as it came on stdin
  std::string args;    ///< CNI_ARGS of the ADD

  friend bool operator==(const DelegatedIpam&, const DelegatedIpam&) = default;
};

/// The DNS settings that the container finds in its own root.
struct ResolvConf {
  std::string root;     ///< the root's path on the host, absolute
  std::string content;  ///< lines as in resolv.conf(5)

  friend bool operator==(const ResolvConf&, const ResolvConf&) = default;
};

struct Attachment {
  AttachmentKey key;
  std::string netnsPath;  ///< CNI_NETNS of the ADD, for results and messages only
  NetnsId netns;

  BridgeSettings bridge;
  netlib::IfName hostVeth;
  std::vector<netlib::IfName> hostLinks = {};  ///< of a chained part: the host's links that prevResult names
  netlib::MacAddress hostMac;
  netlib::MacAddress containerMac;
  std::uint32_t mtu = 0;  ///< bytes; 0: the kernel's default
  bool hairpin = true;
  bool isolated = false;                  ///< the bridge port reaches only ports that are not isolated
  bool detectDuplicateAddresses = false;  ///< IPv6 DAD inside the container
  bool containerInterfaceDown = false;
  bool acceptForward = false;                            ///< whatever the host's own firewall drops
  std::optional<std::string> adminChain = std::nullopt;  ///< is asked before that: a chain of the host's firewall
  IngressPolicy ingress = IngressPolicy::Open;           ///< of the bridge
  bool internal = false;                                 ///< nothing is forwarded out of the bridge, or into it
  SenderGuard guard = SenderGuard::None;
  std::optional<EgressPolicy> egress = std::nullopt;  ///< comes with the whole guard

  std::vector<Lease> leases;
  std::optional<std::string> hostLocalDir = std::nullopt;  ///< where host-local's files tell of the leases too
  std::optional<DelegatedIpam> delegated = std::nullopt;   ///< who is to be told that the leases are free again
  std::vector<Route> routes;
  std::vector<SourceNat> sourceNats;  ///< at most one a family
  std::vector<PortForward> forwards;
  bool loopbackPorts = true;   ///< published IPv4 ports answer at the host's 127.0.0.1, too
  bool masqueradeAll = false;  ///< whoever uses a published port appears under an address of the host

  std::optional<Tuning> tuning = std::nullopt;
  std::optional<Tuning> untuned = std::nullopt;  ///< what `tuning` replaced
  std::optional<Bandwidth> bandwidth = std::nullopt;
  std::optional<ResolvConf> resolvConf = std::nullopt;

  friend bool operator==(const Attachment&, const Attachment&) = default;
};

/// An attachment of which nothing is known but its key and its bridge: no addresses, no ports, MACs of zeros. A chained
/// part begins as one, and has no bridge of its own: it names that through which the host reaches the container.
Attachment bareAttachment(const AttachmentKey& key, const netlib::IfName& bridge);

/// The name of the attachment's veth in the host, derived: it is found again without the container's namespace.
netlib::IfName hostVethName(const AttachmentKey& key);

/// The name of the ifb through which goes what a limited container sends; derived likewise.
netlib::IfName ifbName(const AttachmentKey& key);

/// What the alias of every link of pons begins with.
inline constexpr std::string_view kAliasPrefix = "pons ";
/// By this alias a bridge is known as made by pons, and may be removed by pons.
inline constexpr std::string_view kBridgeAlias = "pons bridge";
/// The alias of both, which tells people and GC whose they are; cut off where it is longer than the kernel takes.
std::string aliasOf(const AttachmentKey& key);

/// The nf_tables chain made from this SourceNat. Named after its content too: a changed configuration gets a chain of
/// its own beside that of the attachments which were made before.
std::string chainOf(const Attachment& attachment, const SourceNat& nat);

/// Names of the state that attachments share; the last attachment that holds such a name takes the state away.
/// Safe as file names. See Ledger::leave.
namespace hold {
std::string bridge(const Attachment& attachment);
/// One for each gateway address on the bridge.
std::string gateway(const Attachment& attachment, const netlib::IpPrefix& address);
std::string forwarding(netlib::Family family);
std::string tables();
std::string sourceNat(const Attachment& attachment, const SourceNat& nat);
/// The same from what nf_tables tells: a network's chain.
std::string sourceNat(const NetworkName& network, const std::string& chain);
/// What this subnet's containers send is looked at for source NAT.
std::string subnet(const netlib::IpPrefix& subnet);
/// What the names of these holds begin with, and the subnet again; nothing where it is another hold.
inline constexpr std::string_view kSubnet = "subnet-";
std::optional<netlib::IpPrefix> subnetOf(std::string_view hold);
/// All interfaces of a container in one network whose sender addresses are guarded.
std::string guardedContainer(const AttachmentKey& key);
/// Attachments of one container that publish the same host port. Held by them alone, beside what holdsOf() has.
std::string sharedPorts(const ContainerId& container);
/// Published IPv4 ports are reachable at the host's 127.0.0.1 through this bridge.
std::string loopback(const Attachment& attachment);
/// The host's firewall lets the bridge's containers through.
std::string forward(const Attachment& attachment);
std::string ingress(const Attachment& attachment);
/// Nothing is forwarded to or from the bridge.
std::string internal(const Attachment& attachment);
/// What the bridge forwards passes the host's filters.
std::string filtered(const Attachment& attachment);
/// The one resolv.conf in the container's root of that path: held by one attachment only. Too long for a file name
/// where the path is.
std::string resolvConf(const std::string& root);
/// The path again; nothing where it is another hold.
std::optional<std::string> rootOf(std::string_view hold);
}  // namespace hold

/// The gateway addresses that the bridge bears for this attachment, with the subnet's length; without repetition. None
/// where the bridge is no gateway.
std::vector<netlib::IpPrefix> gatewayAddresses(const Attachment& attachment);

/// The table of that family in nf_tables, and 127.0.0.1 by route_localnet.
bool needsTable(const Attachment& attachment, netlib::Family family);
bool needsLoopback(const Attachment& attachment);

/// The subnets of which packets need source NAT for this attachment: those of its network where that is masqueraded,
/// and those inside of which its published ports are used.
std::vector<netlib::IpPrefix> sourceSubnets(const Attachment& attachment);

/// The addresses that the container may send from: its leases and, where it may use IPv6, its link-local one.
std::vector<netlib::IpAddress> sourcesOf(const Attachment& attachment);

/// Every hold that the attachment has while it lives, in the order of the plan's shared steps.
std::vector<std::string> holdsOf(const Attachment& attachment);

}  // namespace pons
