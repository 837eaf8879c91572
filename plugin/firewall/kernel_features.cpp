#include "plugin/firewall/kernel_features.h"

#include <algorithm>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#include "netlib/os/kernel_modules.h"

#include "plugin/firewall/nat_table.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;
using nft::Rule;

namespace {

constexpr const char* kBase = "nf_tables";
constexpr const char* kChain = "probe";
constexpr const char* kMap = "probes";

/// A chain of that type at the hook prerouting, which every type and family has.
Feature chainType(const char* type, std::string option, std::string module) {
  const auto append = [type](nft::Transaction& transaction, const nft::Table& table) {
    transaction.addBaseChain(
        table, {.name = kChain, .type = type, .hook = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_NAT_DST});
  };
  return {std::string{"chains of type "} + type, std::move(option), std::move(module), append};
}

/// In a chain without a hook, so that no packet meets it.
Feature expression(const char* name, std::string option, std::string module, std::function<void(Rule&)> write) {
  const auto append = [write = std::move(write)](nft::Transaction& transaction, const nft::Table& table) {
    Rule rule;
    write(rule);
    transaction.addChain(table, kChain);
    transaction.addRule(table, kChain, rule);
  };
  return {std::string{"expression "} + name, std::move(option), std::move(module), append};
}

Feature filterChains(TableFamily family) {
  if (family == TableFamily::Bridge) return chainType("filter", "CONFIG_NF_TABLES_BRIDGE", kBase);
  return chainType("filter", family == TableFamily::Ipv4 ? "CONFIG_NF_TABLES_IPV4" : "CONFIG_NF_TABLES_IPV6", kBase);
}
Feature natChains() { return chainType("nat", "CONFIG_NFT_NAT", "nft_chain_nat"); }

Feature masquerade() {
  return expression("masq", "CONFIG_NFT_MASQ", "nft_masq", [](Rule& rule) { rule.masquerade(); });
}
Feature connectionState() {
  return expression("ct", "CONFIG_NFT_CT", "nft_ct", [](Rule& rule) { rule.ctState(nft::kEstablished); });
}
Feature connectionLabels() {
  return expression("ct label", "CONFIG_NF_CONNTRACK_LABELS", "nft_ct",
                    [](Rule& rule) { rule.ctLabel(nat::kPublished); });
}
Feature connectionZones() {
  return expression("ct zone", "CONFIG_NF_CONNTRACK_ZONES", "nft_ct", [](Rule& rule) { rule.ctZoneSet(1); });
}
Feature addressTypes(TableFamily family) {
  const bool isIpv4 = family == TableFamily::Ipv4;
  return expression("fib", isIpv4 ? "CONFIG_NFT_FIB_IPV4" : "CONFIG_NFT_FIB_IPV6",
                    isIpv4 ? "nft_fib_ipv4" : "nft_fib_ipv6",
                    [](Rule& rule) { rule.fibDaddrType(nft::AddressType::Local); });
}
Feature destinationNat(TableFamily family) {
  return expression("nat", "CONFIG_NFT_NAT", "nft_nat", [family = static_cast<Family>(family)](Rule& rule) {
    const nft::Register port = nat::addressRegisters(family);
    rule.loadDaddr(family, 0).loadDport(port).dnat(family, 0, port);
  });
}
Feature counter() {
  return expression("counter", "CONFIG_NFT_COUNTER", "nft_counter", [](Rule& rule) { rule.counter(); });
}
Feature namedObjects() {
  return {"expression objref", "CONFIG_NFT_OBJREF", "nft_objref",
          [](nft::Transaction& transaction, const nft::Table& table) {
            Rule rule;
            rule.loadIifname(0).object(kMap, 0);
            transaction.addSet(
                table,
                {.name = kMap, .keyType = nft::kIfname, .keyLength = IFNAMSIZ, .objects = nft::ObjectType::Counter});
            transaction.addChain(table, kChain);
            transaction.addRule(table, kChain, rule);
          }};
}
Feature limit() {
  return expression("limit", "CONFIG_NFT_LIMIT", "nft_limit",
                    [](Rule& rule) { rule.limit(1, nft::LimitUnit::Minute); });
}
Feature logging() {
  return expression("log", "CONFIG_NFT_LOG", "nft_log", [](Rule& rule) { rule.log("pons"); });
}
/// A kernel that has this one built as a module has no expression "meta" in family bridge without it.
Feature metaOfBridges() {
  return expression("meta", "CONFIG_NFT_BRIDGE_META", "nft_meta_bridge",
                    [](Rule& rule) { rule.iifgroup(1).loadIifname(0); });
}

/// The chain has no hook, and so the kernel does not check where it is allowed.
Feature rejection(TableFamily family) {
  const bool isIpv4 = family == TableFamily::Ipv4;
  return expression("reject", isIpv4 ? "CONFIG_NFT_REJECT_IPV4" : "CONFIG_NFT_REJECT_IPV6",
                    isIpv4 ? "nft_reject_ipv4" : "nft_reject_ipv6",
                    [](Rule& rule) { rule.l4proto(IPPROTO_TCP).rejectWithReset(); });
}

bool isLack(const netlib::Error& error) {
  return error.isErrno(ENOENT) || error.isErrno(EOPNOTSUPP) || error.isErrno(EAFNOSUPPORT);
}

/// "which ... needs": the configuration keys that ask for it.
const char* needOf(Part part) {
  switch (part) {
    case Part::SourceNat:
      return R"(masquerade needs; "ipMasq": false, and of published ports "snat": false, do without)";
    case Part::Ports:
      return R"("portMappings" needs)";
    case Part::Policies:
      return R"("ingressPolicy", "internal" and "publishedOnly" need)";
    case Part::Reject:
      return R"("allowFrom" and the default "onDeny": "reject" need; without "allowFrom" "onDeny": "drop" does without)";
    case Part::Egress:
      return R"("egressPolicy" needs)";
    case Part::EgressLog:
      return R"("egressPolicy" needs; "logDenied": false does without)";
    case Part::EgressReject:
      return R"("egressPolicy" needs; "onDeny": "drop" does without)";
    case Part::RestrictedPorts:
      return R"("allowFrom" of published ports needs)";
    case Part::Guard:
      return R"("macspoofchk", "ipSpoofCheck" and "egressPolicy" need; "macspoofchk" and "ipSpoofCheck" false do without)";
  }
  return "";
}

netlib::Error lackOf(const Feature& feature, TableFamily family, Part part) {
  return {netlib::Cause::Unsupported, 0,
          std::string{"the kernel's nf_tables has no "} + feature.what + " in tables of family " + nameOf(family) +
              " (" + feature.option + ", module " + feature.module + "), which " + needOf(part)};
}

}  // namespace

std::vector<Feature> featuresOf(TableFamily family, Part part) {
  switch (part) {
    case Part::SourceNat:
      return {filterChains(family), natChains(), masquerade()};
    case Part::Ports:
      return {addressTypes(family), connectionState(), connectionLabels(), connectionZones(), destinationNat(family)};
    case Part::Policies:
      return {filterChains(family), connectionState()};
    case Part::Reject:
      return {filterChains(family), connectionState(), rejection(family)};
    case Part::Egress:
      return {filterChains(family), connectionState(), counter(), namedObjects()};
    case Part::EgressLog:
      return {limit(), logging(), namedObjects()};
    case Part::EgressReject:
      return {rejection(family)};
    case Part::RestrictedPorts:
      return {filterChains(family), connectionState(), connectionLabels(), counter()};
    case Part::Guard:
      return {filterChains(family), metaOfBridges(), counter()};
  }
  return {};
}

bool rejectsBeforeRouting() { return netlib::kernelIsAtLeast(5, 9); }

netlib::Result<> ask(netlib::Socket& netfilter, TableFamily family, Part part, const Feature& feature) {
  const nft::Table table{family, "pons_probe"};
  nft::Transaction transaction;
  transaction.addTable(table);
  feature.ask(transaction, table);
  auto asked = transaction.check(netfilter);
  if (!asked && isLack(asked.error())) return netlib::fail(lackOf(feature, family, part));
  return asked;
}

netlib::Error explained(netlib::Socket& netfilter, const PartsByTable& tables, netlib::Error error) {
  if (!isLack(error)) return error;
  for (const auto& [family, parts] : tables) {
    for (const Part part : parts) {
      for (const Feature& feature : featuresOf(family, part)) {
        const auto asked = ask(netfilter, family, part, feature);
        if (asked.failedWith(netlib::Cause::Unsupported)) return asked.error();
      }
    }
  }
  return error;
}

void loadModules(netlib::Socket& netfilter, TableFamily family, const Parts& parts) {
  netlib::KernelModules modules;
  for (const Part part : parts) {
    const std::vector<Feature> features = featuresOf(family, part);
    const auto isLoaded = [&](const Feature& feature) {
      return feature.module != kBase && modules.isLoaded(feature.module);
    };
    if (!modules.isLoaded(kBase) || std::ranges::any_of(features, isLoaded)) continue;
    for (const Feature& feature : features) {
      // The transaction that needs it reports what is missing.
      if (modules.stateOf(feature.module) == netlib::ModuleState::Loadable)
        static_cast<void>(ask(netfilter, family, part, feature));
    }
  }
}

}  // namespace pons::tables
