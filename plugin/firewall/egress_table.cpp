#include "plugin/firewall/egress_table.h"

#include <array>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/prefix_sets.h"
#include "plugin/firewall/reject_chain.h"

namespace pons::egress {

namespace nft = netlib::nft;
using netlib::Family;
using nft::Icmpv6Type;
using nft::Rule;

namespace {

constexpr const char* kEgress = "egress";
constexpr const char* kPolicy = "egress_policy";
constexpr const char* kDestinations = "egress_destinations";
constexpr const char* kAllowed = "egress_allowed";
constexpr const char* kDeny = "egress_deny";
constexpr const char* kAnswer = "egress_answer";

constexpr nft::Register kBridgeRegisters = IFNAMSIZ / 4;

/// The register behind bridge and source address.
nft::Register afterSource(Family family) { return kBridgeRegisters + nat::addressRegisters(family); }

/// The beginning of all keys.
Rule& loadSource(Rule& rule, Family family) { return rule.loadIifname(0).loadSaddr(family, kBridgeRegisters); }

/// Adds sets, chains and rules to a table.
class Writer {
 public:
  Writer(nft::Transaction& transaction, Family family)
      : transaction_(transaction), family_(family), table_(nat::tableOf(family)) {}

  /// Of keys that are a bridge, a source address, and values of those types behind them. A map with `objects`.
  void addSet(const std::string& name, std::initializer_list<std::uint32_t> behind = {},
              std::optional<nft::ObjectType> objects = std::nullopt) {
    std::uint32_t type = nft::concat(nft::kIfname, addressType());
    std::uint32_t length = afterSource(family_) * 4;
    for (const std::uint32_t next : behind) {
      type = nft::concat(type, next);
      length += next == addressType() ? nat::addressRegisters(family_) * 4 : 4;
    }
    transaction_.addSet(table_, {.name = name, .keyType = type, .keyLength = length, .objects = objects});
  }
  std::uint32_t addressType() const { return family_ == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr; }
  void addChain(const char* name, const char* comment) { transaction_.addChain(table_, name, comment); }
  void add(const char* chain, const Rule& rule) { transaction_.addRule(table_, chain, rule); }
  void insert(const char* chain, const Rule& rule) { transaction_.insertRule(table_, chain, rule); }

  /// A policy without ports, or source address, and port with its protocol.
  void addAllowedPort(const char* chain, Rule& (*verdict)(Rule& rule)) {
    Rule any;
    add(chain, verdict(loadSource(any, family_).lookup(kAnyPort, 0)));
    Rule port;
    loadSource(port, family_).loadL4proto(afterSource(family_)).loadDport(afterSource(family_) + 1);
    add(chain, verdict(port.lookup(kPorts, 0)));
  }

 private:
  nft::Transaction& transaction_;
  Family family_;
  nft::Table table_;
};

void appendSets(Writer& writer, Family family) {
  writer.addSet(kSources);
  writer.addSet(kDns, {writer.addressType()});
  writer.addSet(kPorts, {nft::kInetProto, nft::kInetService});
  writer.addSet(kAnyPort);
  for (const std::string& name : prefix_sets::namesOf(kTo, family)) writer.addSet(name, {writer.addressType()});
  writer.addSet(kDenied, {}, nft::ObjectType::Counter);
}

void appendNeighbourDiscovery(Writer& writer) {
  // Untracked by conntrack; guard_table.h has filtered their content.
  for (const Icmpv6Type type :
       {Icmpv6Type::NeighbourSolicitation, Icmpv6Type::NeighbourAdvertisement, Icmpv6Type::MulticastReport}) {
    writer.add(kPolicy, Rule{}.icmpv6Type(type).accept());
  }
  // Every interface sends these when it comes up: dropped without being logged.
  writer.add(kPolicy, Rule{}.icmpv6Type(Icmpv6Type::RouterSolicitation).drop());
}

void appendDns(Writer& writer, Family family) {
  constexpr std::array<std::uint8_t, 2> kPort{0, kDnsPort};
  for (const Protocol protocol : {Protocol::Udp, Protocol::Tcp}) {
    Rule dns;
    dns.l4proto(static_cast<std::uint8_t>(protocol)).payload({nft::Header::Transport, 2, 2}, kPort);
    writer.add(kPolicy, loadSource(dns, family).loadDaddr(family, afterSource(family)).lookup(kDns, 0).accept());
  }
}

void appendDestinations(Writer& writer, Family family) {
  for (const int length : prefix_sets::lengthsOf(family)) {
    Rule rule;
    loadSource(rule, family).loadDaddr(family, length, afterSource(family));
    writer.add(kDestinations, rule.lookup(prefix_sets::nameOf(kTo, length), 0).jump(kAllowed));
  }
}

void appendDeny(Writer& writer, Family family) {
  Rule counted;
  writer.add(kDeny, loadSource(counted, family).object(kDenied, 0));
  writer.add(kDeny, Rule{}.jump(kAnswer));
  writer.add(kDeny, Rule{}.drop());
}

}  // namespace

void appendEgress(nft::Transaction& transaction, Family family) {
  Writer writer{transaction, family};
  appendSets(writer, family);
  writer.addChain(kAnswer, "what egress policies reject");
  writer.addChain(kDeny, "what egress policies deny");
  appendDeny(writer, family);
  writer.addChain(kAllowed, "to a destination of the egress policy");
  // The port is looked up behind the destination again: another policy may be committed between two lookups, and a
  // packet to a port of the one and a destination of the other would be accepted.
  writer.addAllowedPort(kAllowed, [](Rule& rule) -> Rule& { return rule.accept(); });
  writer.addChain(kDestinations, "to a port of the egress policy");
  appendDestinations(writer, family);
  writer.addChain(kPolicy, "containers with an egress policy");
  if (family == Family::Ipv6) appendNeighbourDiscovery(writer);
  writer.addAllowedPort(kPolicy, [](Rule& rule) -> Rule& { return rule.jump(kDestinations); });
  appendDns(writer, family);
  writer.add(kPolicy, Rule{}.jump(kDeny));
  transaction.addBaseChain(
      nat::tableOf(family),
      {.name = kEgress, .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_MANGLE});
  writer.add(kEgress, Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  Rule source;
  writer.add(kEgress, loadSource(source, family).lookup(kSources, 0).jump(kPolicy));
}

void appendLog(nft::Transaction& transaction, Family family) {
  Writer writer{transaction, family};
  writer.addSet(kLogged, {}, nft::ObjectType::Limit);
  Rule rule;
  // A prefix cannot be data. The line has SRC, and PHYSIN: the host veth.
  writer.insert(kDeny, loadSource(rule, family).object(kLogged, 0).log("pons denied: "));
}

void appendReject(nft::Transaction& transaction, Family family) {
  Writer writer{transaction, family};
  writer.addSet(kRejected);
  Rule rule;
  writer.add(kAnswer, loadSource(rule, family).lookup(kRejected, 0).jump(reject::kByProtocol));
}

}  // namespace pons::egress
