// The key table: the keys of a network.
#pragma once

#include "plugin/cni/decode/key_rows.h"

namespace pons::cni::table {

inline constexpr std::array kEnvelopeKeys{
    ofRuntime({"cniVersion", kAll, Text, R"("0.1.0")", "0.1.0 to 1.1.0", "version of the protocol", "",
               "CHECK needs 0.4.0, GC and STATUS need 1.1.0."}),
    ofRuntime(
        {"name", kAll, Text, "", "up to 200 letters, digits, '_', '.' and '-', beginning with a letter or digit",
         "name of the network", "",
         "Networks of different names may have the same bridge, and on it the same gateway and subnet. Their ranges "
         "must not overlap, and no address is given twice on a bridge."}),
    ofRuntime({"type", kAll, Text, "", "", "name of the plugin"}),
    sameAs("runtimeConfig",
           ofRuntime({"capabilities", kAll, Shared, "", "", "what the runtime may set per container"})),
    Key{"runtimeConfig", kAll, Shared, "", "",
        "set by the runtime per container; in a file, it applies to all containers"},
    Key{"args", kAll, Shared, "", "", "set by an orchestrator per container"},
    Key{"args.cni", kAll, Shared, "", "", "set by an orchestrator per container"},
    ofRuntime({"prevResult", kAll, Free, "", "", "the result of the previous plugin, set by the runtime"}),
};

inline constexpr std::array kBridgeKeys{
    common({"bridge", kMain, Text, R"("pons0")", "up to 15 bytes without '/', ':', '%' and white space",
            "Linux bridge of the containers; if pons creates it, the last container's DEL removes it"}),
    common({"isGateway", kMain, Boolean, "true", "",
            "the bridge has the gateway addresses, and the host forwards IP packets",
            "the bridge has no addresses: layer 2 only",
            "Both for as long as a container needs them. Without addresses it has no effect."}),
    common({"isDefaultGateway", kMain, Boolean, "same as isGateway", "",
            "the container's default routes use the gateway addresses of the bridge, unless ipam.routes has one",
            "no default routes except those of ipam.routes"}),
    Key{"forceAddress", kMain, Boolean, "false", "", "addresses of the bridge that overlap the gateway's are replaced",
        "an address of the bridge that overlaps the gateway's is an error"},
    common(
        {"mtu", kMain, Number, "0", R"(0, 68 to 65535 (with IPv6 from 1280), or "auto")",
         R"(MTU of the veth in bytes; "auto": the smallest of the links that default routes use; 0: the kernel's default)",
         "", "The bridge has the smallest MTU of its ports, which the kernel sets."}),
    common({"hairpinMode", kMain, Boolean, "true, or false with promiscMode", "",
            "a container can reach its own published port", "a container cannot reach its own published port",
            "Mutually exclusive with promiscMode: packets would arrive twice."}),
    Key{"promiscMode", kMain, Boolean, "false", "",
        "the bridge is promiscuous: it receives all frames, and a container can reach its own published port",
        "the bridge is not promiscuous"},
    common({"portIsolation", kMain, Boolean, "false", "", "containers reach the gateway, but not each other",
            "containers reach each other"}),
    Key{"vlan", kMain, Number, "0", "0 to 4094",
        "VLAN of the frames that the container sends and gets without a tag; 0: none", "",
        "The bridge filters VLANs: containers reach only those of their VLAN. With isGateway the gateway addresses are "
        "on a link of its own, named as the bridge, with the VLAN behind a dot: \"pons0.100\". Needs a kernel with "
        "CONFIG_BRIDGE_VLAN_FILTERING. Policies of the bridge (ingressPolicy, internal) are the VLAN's. With a gateway "
        "it must be another than that of the bridge itself, which is 1 if pons creates it."},
    Key{"vlanTrunk", kMain, Objects, "", "",
        "VLANs that the container tags itself: a list of {\"id\": 100} and {\"minID\": 200, \"maxID\": 205}", "",
        "Its frames without a tag are of vlan, or of VLAN 1 without one; then the gateway addresses are on the bridge. "
        "The spoof guard and the egress policy inspect frames with a tag as well; without a trunk, the spoof guard "
        "drops them."},
    Key{"vlanTrunk[].id", kMain, Number, "", "1 to 4094", "a VLAN"},
    Key{"vlanTrunk[].minID", kMain, Number, "", "1 to 4094", "the first of several VLANs; only with maxID"},
    Key{"vlanTrunk[].maxID", kMain, Number, "", "minID to 4094", "the last of them"},
    Key{"preserveDefaultVlan", kMain, Boolean, "false", "",
        "with vlan or vlanTrunk, the container also stays in the bridge's default VLAN: it gets that one's broadcasts",
        "the container is in the VLANs of vlan or vlanTrunk only",
        "The reference plugin's default was true before 1.8."},
    Key{"disableContainerInterface", kMain, Boolean, "false", "",
        "the container's interface stays down; only without addresses", "the container's interface is up"},
    Key{"enabledad", kMain, Boolean, "false", "",
        "duplicate address detection for IPv6 addresses: ADD takes 1.5 s longer",
        "IPv6 addresses are usable at once, without duplicate address detection"},
};

inline constexpr std::array kAddressKeys{
    Key{"ipam", kIpam, Object, "", "", "how addresses are assigned; empty: no addresses, layer 2 only"},
    common(
        {"ipam.type", kIpam, Text, R"("pons")", "",
         "who assigns the addresses: pons (a random free one), host-local (its files), static, or the IPAM plugin of "
         "that name",
         "",
         "host-local: as the reference plugin of that name, in order; its files are read and written. static: from "
         "ipam.addresses or the runtime. Any other value: the IPAM plugin of that name in CNI_PATH, which is executed "
         "only if it and its directories are writable by root only, or pons was started from there; all other keys of "
         "ipam are that plugin's. If the "
         "bridge is a gateway and IPAM returns none, the gateway is the subnet's first address."}),
    common({"ipam.subnet", kPools, Text, "", "CIDR notation, without host bits, any prefix length but 0",
            "the first range set: each container gets one address from it"}),
    common({"ipam.rangeStart", kPools, Text, "the first address", "", "first address of ipam.subnet that is assigned"}),
    common({"ipam.rangeEnd", kPools, Text, "the last address", "", "last address of ipam.subnet that is assigned", "",
            "Never assigned: the network address, the broadcast address and the gateway. A container whose runtime "
            "requests a certain address gets any other free address of the subnet, also outside of the range."}),
    common({"ipam.gateway", kPools, Text, "the subnet's first address", "", "gateway of ipam.subnet", "",
            "If isGateway is false it may be outside of the subnet, or an IPv6 link-local address of a router."}),
    common({"ipam.ranges", kPools, Objects, "", R"([[{"subnet": "10.43.0.0/24"}], [{"subnet": "fd00:43::/64"}]])",
            "range sets: each container gets one address from each inner array, so that two make dual stack", "",
            "The ranges of one inner array are alternatives of one address family."}),
    Key{"ipam.ranges[][].subnet", kPools, Text, "", "as ipam.subnet", "subnet of the range"},
    Key{"ipam.ranges[][].rangeStart", kPools, Text, "the first address", "", "first address that is assigned"},
    Key{"ipam.ranges[][].rangeEnd", kPools, Text, "the last address", "", "last address that is assigned"},
    Key{"ipam.ranges[][].gateway", kPools, Text, "the subnet's first address", "", "as ipam.gateway"},
    common({"ipam.exclude", kPools, List, "", "addresses and CIDRs", "addresses that are never assigned"}),
    common({"ipam.routes", kIpam, Objects, "", "",
            "routes in the container: objects with dst, gw, mtu, advmss, priority, table, scope"}),
    Key{"ipam.routes[].dst", kIpam, Text, "", "CIDR notation", "destination; required"},
    Key{"ipam.routes[].gw", kIpam, Text, "the gateway of that family", "", "next hop", "",
        "Several routes with the same dst, table and priority are one route with several next hops (ECMP). Each has "
        "another gw; mtu, advmss and scope are the same in all."},
    Key{"ipam.routes[].mtu", kIpam, Number, "0", "0 to 65535", "MTU in bytes; 0: the interface's"},
    Key{"ipam.routes[].advmss", kIpam, Number, "0", "0 to 65535",
        "MSS in bytes that TCP advertises; 0: the kernel's default"},
    Key{"ipam.routes[].priority", kIpam, Number, "0", "0 to 4294967295", "priority (metric), as in ip-route(8)"},
    Key{"ipam.routes[].table", kIpam, Number, "main", "0 to 4294967295", "routing table, as a number"},
    Key{"ipam.routes[].scope", kIpam, Number, "by the next hop", "0 to 255", "scope, as a number"},
    Key{"ipam.dataDir", kHostLocal, Text, R"("/var/lib/cni/networks")", "an absolute path without \"..\"",
        "directory of host-local's files"},
    Key{"ipam.addresses", kStatic, Objects, "", "", "addresses of the container"},
    Key{"ipam.addresses[].address", kStatic, Text, "", "CIDR notation", "address; required"},
    Key{"ipam.addresses[].gateway", kStatic, Text, "", "", "gateway of that address"},
};

inline constexpr std::array kDnsKeys{
    common(
        {"dns", kMain, Object, "", "", "nameservers (addresses), domain, search and options: passed on in the result"}),
    Key{"dns.nameservers", kMain | kStatic, List, "", "unicast addresses", "passed on in the result"},
    Key{"dns.domain", kMain | kStatic, Text, "", "", "passed on in the result"},
    Key{"dns.search", kMain | kStatic, List, "", "", "passed on in the result"},
    Key{"dns.options", kMain | kStatic, List, "", "", "passed on in the result"},
    sameAs("dns", {"ipam.dns", kStatic, Object, "", "", "passed on in the result"}),
    Key{"ipam.resolvConf", kPools, Text, "", "", "a resolv.conf(5) whose DNS configuration is passed on in the result"},
};

inline constexpr std::array kNatKeys{
    common({"ipMasq", kMain, Boolean, "same as isGateway", "",
            "packets that leave the subnet are masqueraded: they get an address of the host",
            "packets that leave the subnet keep the container's address"}),
    common({"ipMasqExclude", kMain, List, "", "addresses and CIDRs", "destinations exempt from masquerading", "",
            "Each container keeps the exclusions of its own ADD."}),
    common({"ipMasqFamilies", kMain, List, "both", R"("ipv4", "ipv6")", "address families that are masqueraded"}),
    common(
        {"portMappings", kPons | kPortmap, Objects, "", "",
         "host ports that are forwarded to the container: hostPort, containerPort, protocol, hostIP, allowFrom", "",
         "The capability portMappings adds to it. A port that another container has published is an error; the message "
         "has the owner. A program of the host that listens there is reached no longer: ADD succeeds, and logs the "
         "warning port-shadowed. "
         "A container that publishes a port in several networks has it once: it leads to the network that was attached "
         "first, and after the DEL from that one to the next. IPv4 ports also answer at 127.0.0.1. Connections from "
         "the container's own subnet to its published ports are masqueraded; connections translated by others "
         "(Kubernetes "
         "services) keep their source address."}),
    Key{"portMappings[].hostPort", kPons | kPortmap, Number, "", "1 to 65535", "port of the host; required"},
    Key{"portMappings[].containerPort", kPons | kPortmap, Number, "", "1 to 65535", "port of the container; required"},
    Key{"portMappings[].protocol", kPons | kPortmap, Text, R"("tcp")", R"("tcp", "udp", "sctp")", "protocol"},
    Key{"portMappings[].hostIP", kPons | kPortmap, Text, "all", "a unicast address",
        "address of the host at which the port is published", "",
        "It cannot be ::1, since the kernel has no route_localnet for IPv6."},
    Key{"portMappings[].allowFrom", kPons | kPortmap, List, "all", "addresses and CIDRs",
        "clients that may connect to the port; others get an ICMP error, and are counted", "",
        "The host itself may connect in any case; containers are clients like others, by their own addresses. Without "
        "a CIDR of an address family none of that family may. A runtime may set it if it passes on what it does not "
        "know."},
    common(
        {"forward", kPons, Text, R"("auto")", R"("auto", "off")",
         R"("auto": if a firewall of the host drops forwarded packets (Docker, ufw), rules that accept this bridge's )"
         R"(traffic are added to it; "off": no rules are added)"}),
    common({"ingressPolicy", kPons | kFirewall, Text, R"("open")", R"("open", "same-bridge", "isolated")",
            R"("open": any container may connect to these; "same-bridge": not those of other bridges with a policy; )"
            R"("isolated": not those of this bridge either)",
            "",
            "Other hosts are not restricted: see publishedOnly. Published ports are reachable by the host's address, "
            "whatever the policy."}),
    common({"publishedOnly", kPons, Boolean, "false", "",
            "from outside the bridge only published ports and replies reach the containers",
            "hosts with a route to the containers reach all of their ports",
            "For all containers of the bridge, while one of them has it set. The host itself is not restricted, nor "
            "are containers of the same bridge."}),
    common({"onDeny", kPons | kFirewall, Text, R"("reject")", R"("reject", "drop")",
            R"(what ingressPolicy, internal, publishedOnly and egressPolicy do not allow: "reject": the sender gets a )"
            R"(TCP reset or an ICMP error; "drop": no answer)",
            "", "A bridge drops if one of its containers has it set so. Spoofed packets are dropped in any case."}),
    common(
        {"bandwidth", kPons, Object, "", "",
         "rates in bit/s: ingressRate to the container, egressRate from it; bursts in bits: ingressBurst, egressBurst",
         "", "The file takes precedence over the capability bandwidth."}),
    Key{"bandwidth.ingressRate", kPons | kBandwidth, Number, "0", "", "bit/s to the container; 0: no limit"},
    Key{"bandwidth.ingressBurst", kPons | kBandwidth, Number, "the largest", "",
        "burst to the container in bits, at most 20 ms of the rate or ten packets, whichever is more"},
    Key{"bandwidth.egressRate", kPons | kBandwidth, Number, "0", "", "bit/s from the container; 0: no limit"},
    Key{"bandwidth.egressBurst", kPons | kBandwidth, Number, "the largest", "",
        "burst from the container in bits, limited likewise"},
};

inline constexpr std::array kGuardKeys{
    common({"macspoofchk", kMain, Boolean, "true", "",
            "frames with another source MAC address than the container's are dropped",
            "frames with any source MAC address pass"}),
    common({"ipSpoofCheck", kPons, Boolean, "true with addresses", "",
            "packets with another source IP address than the container's are dropped, also DHCP server messages and "
            "router advertisements",
            "packets with any source IP address pass",
            "Also ARP and neighbour advertisements for other addresses, VLAN tags (those of vlanTrunk pass), and "
            "frames of other protocols. Needs addresses, and macspoofchk."}),
    common(
        {"internal", kPons, Boolean, "false", "",
         "no default route, no masquerading, and no forwarding from or to the bridge", "containers reach other hosts",
         "Mutually exclusive with isDefaultGateway, ipMasq, portMappings and a default route, which are off by default "
         "then."}),
    common(
        {"egressPolicy", kPons, Object, "", "",
         "the connections that the container may open; {} denies all; replies pass", "",
         "What is not allowed is denied, as onDeny says, and counted. Packets of connections opened from outside pass. "
         "It selects "
         "containers by source address and therefore needs ipSpoofCheck, and, for packets between ports of one bridge, "
         "the kernel module br_netfilter. The capability and the key in args.cni replace it for one container. An "
         "unknown key in it is an error."}),
    common({"egressPolicy.allowedCidrs", kPons, List, "", "addresses and CIDRs",
            "allowed destinations; other connections are denied and counted"}),
    common({"egressPolicy.allowedTcpPorts", kPons, List, "all", "1 to 65535",
            "allowed TCP ports of these destinations; UDP only with allowedUdpPorts", "",
            "Without allowedTcpPorts and allowedUdpPorts: all protocols."}),
    Key{"egressPolicy.allowedUdpPorts", kPons, List, "all", "1 to 65535",
        "allowed UDP ports of these destinations; TCP only with allowedTcpPorts"},
    common({"egressPolicy.allowDns", kPons, Boolean, "true, but false in {}", "",
            "DNS to the servers of dns.nameservers is allowed",
            "DNS needs allowedCidrs and its port like any other connection"}),
    Key{"egressPolicy.logDenied", kPons, Boolean, "true", "",
        "denials are logged by the kernel, rate-limited to 5 per minute", "denials are counted, not logged"},
};

}  // namespace pons::cni::table
