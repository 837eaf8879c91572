// The key table: settings of pons, what the runtime sets per container, and the keys of the reference plugins.
#pragma once

#include "plugin/cni/decode/key_rows.h"

namespace pons::cni::table {

inline constexpr std::array kSettingKeys{
    common(
        {"stateDir", kAttach, Text, R"(PONS_STATE_DIR, else "/run/pons")", "an absolute path without \"..\"",
         "directory of the ledger: a host has one, and an ADD with another one is refused", "",
         "Links and nf_tables tables of pons name it; the refusal (code 7) has the path of the first. What a removed "
         "directory left on the host is no obstacle once no container uses it: a bridge without ports, and tables "
         "without a veth that names the directory. Then an ADD replaces such tables, with all that is in them, and "
         "logs it."}),
    Key{"lockTimeout", kAttach, Number, "30", "1 to 600", "seconds to wait for a lock that another call holds"},
    common({"logFile", kAttach, Text, R"("stderr")", "an absolute path, journal, syslog or stderr",
            "log target: a file, journal, syslog, or stderr, which most runtimes add to their own log", "",
            "All calls append to the file, and it may be renamed at any time; its directory must exist. If the target "
            "cannot be opened, standard error is used. A wrong logFile, logFormat or logLevel fails no call: a warning "
            "names it, and the default is used. The environment variable PONS_LOG overrides all three; see pons(8)."}),
    Key{"logFormat", kAttach, Text, R"("logfmt")", "logfmt or json",
        "format of a log line: name=value pairs, or a JSON object with the same names and values", "",
        "Not of the journal, which has fields of its own; see pons(8)."},
    common({"logLevel", kAttach, Text, R"("warning")", "trace, debug, info, warning, error or off",
            "lowest level that is logged", "", "Also warn and err, and in any case."}),
};

inline constexpr std::array kContainerKeys{
    sameAs("portMappings", {"runtimeConfig.portMappings", kPons | kPortmap, Objects, "", "",
                            "the runtime may publish ports", kNothing}),
    sameAs("bandwidth", {"runtimeConfig.bandwidth", kPons | kBandwidth, Object, "", "",
                         "the runtime may limit the rates", kNothing}),
    sameAs("egressPolicy",
           {"runtimeConfig.egressPolicy", kPons, Object, "", "", "the runtime may set the egress policy", kNothing}),
    Key{"runtimeConfig.ips", kIpam, List, "", "addresses of the network's ranges",
        "the runtime may choose the addresses", kNothing, "Each must be free."},
    Key{"runtimeConfig.mac", kMain | kTuning, Text, "", "a unicast MAC address",
        "the runtime may choose the MAC address", kNothing},
    sameAs("ipam.ranges", {"runtimeConfig.ipRanges", kPools, Objects, "", "as ipam.ranges",
                           "the runtime may add address ranges, which precede those of this file", kNothing}),
    Key{"runtimeConfig.dns", kMain, Object, "", "", "the runtime may set the DNS configuration", kNothing},
    Key{"runtimeConfig.dns.servers", kMain, List, "", "unicast addresses", "as dns.nameservers"},
    Key{"runtimeConfig.dns.domain", kMain, Text, "", "", "as dns.domain"},
    Key{"runtimeConfig.dns.searches", kMain, List, "", "", "as dns.search"},
    Key{"runtimeConfig.dns.options", kMain, List, "", "", "as dns.options"},
    Key{"runtimeConfig.rootfs", kPons, Text, "", "an absolute path without \"..\"",
        "the runtime passes the container's root directory, whose /etc/resolv.conf gets the DNS configuration",
        kNothing,
        "DEL restores the original file. On a read-only root a file is mounted over it, read-only. Symbolic links of "
        "the image are resolved inside of the root. Only one of a container's networks may have DNS settings."},
    Key{"args.cni.ips", kIpam, List, "", "addresses of the network's ranges", "addresses of the container"},
    Key{"args.cni.mac", kMain | kTuning, Text, "", "a unicast MAC address", "MAC address of the interface"},
    sameAs("egressPolicy", {"args.cni.egressPolicy", kPons, Object, "", "", "egress policy of the container"}),
    Key{"args.cni.sysctl", kTuning, Free, "", "", "as sysctl"},
    Key{"args.cni.mtu", kTuning, Number, "", "", "as mtu"},
    Key{"args.cni.promisc", kTuning, Boolean, "", "", "as promisc"},
    Key{"args.cni.allmulti", kTuning, Boolean, "", "", "as allmulti"},
    Key{"args.cni.txQLen", kTuning, Number, "", "", "as txQLen"},
};

inline constexpr std::array kBridgePluginKeys{
    noEffect({"ipMasqBackend", kPons, Text, "", "", "no effect: pons masquerades with nf_tables"}, {R"("nftables")"},
             "pons uses nftables only"),
    noEffect({"ipMasqBackend", only(Applet::Bridge), Text, "", "", "no effect: pons masquerades with nf_tables"},
             {R"("nftables")", R"("iptables")"}, "pons uses nftables only"),
};

inline constexpr std::string_view kConditions =
    "conditions are iptables arguments; use \"hostIP\" and \"allowFrom\" instead";

inline constexpr std::array kPortmapKeys{
    Key{"snat", kPortmap, Boolean, "true", "",
        "published ports are reachable at 127.0.0.1 and from the container itself",
        "published ports are reachable neither at 127.0.0.1 nor from the container itself",
        "For a whole bridge or subnet, while one of its containers has it set."},
    Key{"masqAll", kPortmap, Boolean, "false", "",
        "connections to published ports are masqueraded: their source is an address of the host",
        "connections to published ports keep their source address"},
    noEffect({"backend", kPortmap, Text, "", "", "no effect: ports are published with nf_tables"},
             {R"("nftables")", R"("iptables")"}, "pons supports nftables and iptables"),
    noEffect({"markMasqBit", kPortmap, Number, "", "0 to 31", "no effect: no packet mark is needed"}, 31),
    refused({"externalSetMarkChain", kPortmap, Text, "", "", "no effect if empty"}, R"("")",
            "nf_tables cannot jump to an iptables chain"),
    refused({"conditionsV4", kPortmap, List, "", "", "no effect if empty"}, "[]", kConditions),
    refused({"conditionsV6", kPortmap, List, "", "", "no effect if empty"}, "[]", kConditions),
};

inline constexpr std::array kFirewallKeys{
    noEffect({"backend", kFirewall, Text, "", "",
              "no effect: accept rules are added to every firewall that drops forwarded packets"},
             {R"("iptables")", R"("firewalld")"}, "pons supports iptables and firewalld"),
    Key{"iptablesAdminChainName", kFirewall, Text, R"("CNI-ADMIN")", "",
        "the administrator's chain, evaluated before the accept rules if it exists"},
    noEffect({"firewalldZone", kFirewall, Text, "", "", "no effect: the accept rules need no zone"}),
};

inline constexpr std::string_view kAllTraffic = "pons limits all traffic of a container";

inline constexpr std::array kBandwidthKeys{
    Key{"ingressRate", kBandwidth, Number, "0", "", "bit/s to the container; 0: no limit"},
    Key{"ingressBurst", kBandwidth, Number, "the largest", "", "burst to the container, in bits"},
    Key{"egressRate", kBandwidth, Number, "0", "", "bit/s from the container; 0: no limit"},
    Key{"egressBurst", kBandwidth, Number, "the largest", "", "burst from the container, in bits"},
    refused({"shapedSubnets", kBandwidth, List, "", "", "no effect if empty"}, "[]", kAllTraffic),
    refused({"unshapedSubnets", kBandwidth, List, "", "", "no effect if empty"}, "[]", kAllTraffic),
};

inline constexpr std::array kTuningKeys{
    Key{"sysctl", kTuning, Free, "", "kernel parameters below net and their values",
        "sysctls in the container's network namespace", "",
        "IFNAME in a name is the interface. With /etc/cni/tuning/allowlist.conf only those that one of its regular "
        "expressions matches."},
    Key{"mac", kTuning, Text, "", "a unicast MAC address", "MAC address of the interface"},
    Key{"mtu", kTuning, Number, "", "0 to 65535", "MTU of the interface in bytes; 0: unchanged"},
    Key{"promisc", kTuning, Boolean, "false", "", "the interface is promiscuous: it receives all frames", kNothing},
    Key{"allmulti", kTuning, Boolean, "false", "", "the interface receives all multicast frames", kNothing},
    Key{"txQLen", kTuning, Number, "", "0 to 2147483647", "length of the interface's transmit queue, in packets"},
    noEffect({"dataDir", kTuning, Text, "", "", "no effect: the ledger keeps the original values"}),
};

}  // namespace pons::cni::table
