// Forward chains that drop what containers send or receive: each chain is evaluated for the packets of each container.
#include <algorithm>

#include "netlib/filter/x_tables.h"
#include "netlib/rtnl/link.h"

#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"
#include "plugin/firewall/forward_chains.h"

namespace pons::ctl {

namespace filter = netlib::filter;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr const char* kDrops = " drops unmatched packets";

/// A base chain of the forward hook.
struct ForwardChain {
  std::string name;              ///< for messages
  std::optional<Family> family;  ///< nothing: both
  std::string base;
  bool policyDrops;
  std::function<netlib::Result<std::vector<filter::Rule>>(const std::string& chain, const filter::Packet&)> rulesFor;
  std::function<std::string(const filter::Fate::Place&)> deletion;  ///< of a rule, for an administrator

  netlib::Result<filter::Fate> fateOf(const filter::Packet& packet) const {
    return filter::fateOf(base, policyDrops, [&](const std::string& chain) { return rulesFor(chain, packet); });
  }
};

/// Packets of one container in one direction.
struct Flow {
  const Attachment* attachment;
  std::string what;  ///< "packets from ", …
  filter::Packet packet;
};

std::optional<Family> familyOf(const nft::Table& table) {
  if (table.family == nft::TableFamily::Inet) return std::nullopt;
  return table.family == nft::TableFamily::Ipv4 ? Family::Ipv4 : Family::Ipv6;
}

ForwardChain chainOf(nft::ChainReader& reader, const nft::ListedChain& chain) {
  const nft::Table table = chain.table;
  return {.name = chain.toString(),
          .family = familyOf(table),
          .base = chain.name,
          .policyDrops = chain.policyDrops,
          .rulesFor = [&reader, table](const std::string& name,
                                       const filter::Packet& packet) { return reader.rulesFor(table, name, packet); },
          .deletion =
              [table](const filter::Fate::Place& place) {
                return "nft delete rule " + textOf(table) + " " + place.chain + " handle " +
                       std::to_string(place.rule.handle);
              }};
}

ForwardChain chainOf(const netlib::x_tables::FilterTable& table, Family family) {
  const std::string program = family == Family::Ipv4 ? "iptables-legacy" : "ip6tables-legacy";
  return {.name = program + " chain FORWARD",
          .family = family,
          .base = "FORWARD",
          .policyDrops = table.forwardPolicyDrops(),
          .rulesFor = [&table](const std::string& name, const filter::Packet& packet)
              -> netlib::Result<std::vector<filter::Rule>> { return table.rulesFor(name, packet); },
          .deletion =
              [program](const filter::Fate::Place& place) {
                return program + " -D " + place.chain + " ... (\"" + program + " -S " + place.chain + "\" lists it)";
              }};
}

// Flows

void addFlows(std::vector<Flow>& flows, const Attachment& attachment, const Lease& lease, unsigned bridgeIndex,
              const std::optional<netlib::link::Link>& uplink) {
  const netlib::IpAddress& address = lease.address.address();
  const std::string bridge = routedLink(attachment).toString();
  filter::Packet out{.family = address.family(), .iifname = bridge, .iif = bridgeIndex, .source = address};
  filter::Packet in{.family = address.family(), .oifname = bridge, .oif = bridgeIndex, .destination = address};
  if (uplink) {
    out.oifname = in.iifname = uplink->name;
    out.oif = in.iif = uplink->index;
  }
  out.ctState = filter::kNew;
  in.ctState = filter::kEstablished;
  flows.push_back({&attachment, "packets from ", out});
  flows.push_back({&attachment, "replies to ", in});
  const bool isPublished =
      std::ranges::any_of(attachment.forwards, [&](const PortForward& forward) { return forward.target == address; });
  if (!isPublished) return;
  in.ctState = filter::kNew;
  in.isDnat = true;
  flows.push_back({&attachment, "connections to published ports of ", in});
}

/// Of containers for which the host forwards packets.
std::vector<Flow> flowsOf(Host* host, const Statuses& statuses, const Links& uplinks) {
  std::vector<std::optional<netlib::link::Link>> outer(uplinks.begin(), uplinks.end());
  if (outer.empty()) outer.emplace_back();  // not known
  std::map<netlib::IfName, unsigned> bridges;
  std::vector<Flow> flows;
  for (const AttachmentStatus& status : statuses) {
    if (host == nullptr || !status.attachment || status.key.plugin != ChainedPlugin::None) continue;
    const Attachment& attachment = *status.attachment;
    const auto [bridge, isNew] = bridges.try_emplace(routedLink(attachment), 0);
    if (isNew) {
      const auto found = netlib::link::find(host->route, routedLink(attachment));
      bridge->second = found ? found->index : 0;
    }
    for (const Lease& lease : attachment.leases) {
      if (attachment.internal || !has(attachment, shared_state::ipForwarding(lease.address.family()))) continue;
      for (const auto& uplink : outer) addFlows(flows, attachment, lease, bridge->second, uplink);
    }
  }
  return flows;
}

// Findings

class ForwardCheck {
 public:
  ForwardCheck(Area& area, const std::vector<Flow>& flows) : area_(area), flows_(flows) {}

  void check(const ForwardChain& chain) {
    const auto unmatched = chain.fateOf({.family = chain.family});
    if (!unmatched) return area_.notChecked(chain.name, unmatched.error().message);
    std::set<std::string> accepted;
    std::set<std::string> dropped;
    for (const Flow& flow : flows_) {
      if (chain.family && flow.packet.family != chain.family) continue;
      const auto fate = chain.fateOf(flow.packet);
      if (!fate) return area_.notChecked(chain.name, fate.error().message);
      undecided_ = std::max(undecided_, fate->undecided);
      const std::string bridge = routedLink(*flow.attachment).toString();
      (note(chain, flow, *fate, unmatched->drops) ? dropped : accepted).insert(bridge);
    }
    ++chains_;
    for (const std::string& bridge : dropped) accepted.erase(bridge);
    if (unmatched->drops) reportUnmatched(chain, accepted, dropped);
  }

  void finish() {
    for (const auto& [finding, containers] : found_) {
      area_.add(finding.id, finding.severity, finding.what + someOf(containers) + finding.end, finding.remedy);
    }
    if (undecided_ > 0) {
      area_.notChecked("rules of forward chains that drop by the other end's address, port, mark, rate or the like",
                       "they concern some packets of a container only");
    }
    if (!found_.empty()) return;
    const std::string looked = counted(chains_, "forward chain") + " of other programs";
    if (flows_.empty()) return area_.notChecked(looked, "there is no container whose packets the host forwards");
    std::set<std::string> containers;
    for (const Flow& flow : flows_) containers.insert(containerText(*flow.attachment));
    area_.fine(looked + ": none drops all packets from or to " + someOf(containers));
  }

 private:
  struct Finding {
    FindingId id;
    Severity severity;
    std::string what;  ///< before the containers or bridges
    std::string end;   ///< after them
    std::string remedy;

    auto operator<=>(const Finding&) const = default;
  };

  static std::string ruleText(const ForwardChain& chain, const filter::Fate::Place& place) {
    std::string text = ": a rule";
    if (place.chain != chain.base) text += " of chain " + place.chain;
    if (place.rule.set.starts_with("__"))
      return text + " with an anonymous set (handle " + std::to_string(place.rule.handle) + ")";
    if (!place.rule.set.empty()) text += " with set " + place.rule.set;
    return place.rule.handle == 0 ? text : text + " (handle " + std::to_string(place.rule.handle) + ")";
  }

  static bool hasAcceptRules(const ForwardChain& chain, const netlib::IfName& bridge) {
    const auto rules = chain.rulesFor(chain.base, {});
    return rules && static_cast<std::size_t>(std::ranges::count_if(*rules, [&](const filter::Rule& rule) {
                      return rule.verdict == filter::Verdict::Accept && rule.comment == forward::commentOf(bridge);
                    })) >= forward::kAccepts;
  }

  /// Whether the flow is dropped.
  bool note(const ForwardChain& chain, const Flow& flow, const filter::Fate& fate, bool dropsUnmatched) {
    const std::string container = containerText(*flow.attachment);
    for (const filter::Fate::Place& place : fate.partly) {
      found_[{FindingId::ForwardDropPartly, Severity::Note, chain.name + " drops some " + flow.what,
              ruleText(chain, place), "unless that is wanted: " + chain.deletion(place)}]
          .insert(container);
    }
    if (!fate.drops) return false;
    const std::string bridge = routedLink(*flow.attachment).toString();
    const bool isManaged = flow.attachment->acceptForward;
    if (isManaged && dropsUnmatched && !hasAcceptRules(chain, routedLink(*flow.attachment))) {
      found_[{FindingId::ForwardDrop, Severity::Fault, chain.name + kDrops + ", including forwarded traffic of ", "",
              "ponsctl repair"}]
          .insert(bridge);
    } else if (fate.by && (isManaged || fate.by->rule.isNamed)) {
      std::string remedy = chain.deletion(*fate.by);
      if (!fate.by->rule.set.empty()) remedy += "; or remove from that set what includes the containers";
      found_[{FindingId::ForwardDropRule, Severity::Fault, chain.name + " drops " + flow.what,
              ruleText(chain, *fate.by), remedy}]
          .insert(container);
    } else {
      found_[{FindingId::ForwardDrop, Severity::Warning,
              chain.name + kDrops + " and has no rule that accepts traffic of ",
              isManaged ? "" : " (\"forward\": \"off\")",
              "accept traffic from and to " + bridge + " there, or set \"forward\" to \"auto\""}]
          .insert(bridge);
    }
    return true;
  }

  void reportUnmatched(const ForwardChain& chain, const std::set<std::string>& accepted,
                       const std::set<std::string>& dropped) {
    if (!accepted.empty()) {
      area_.fine(chain.name + kDrops + "; it accepts forwarded traffic of " + someOf(accepted));
    } else if (dropped.empty()) {
      area_.note(FindingId::ForwardDrop,
                 chain.name + kDrops +
                     ": pons adds accept rules with the first container of a bridge (\"forward\": \"auto\")");
    }
  }

  Area& area_;
  const std::vector<Flow>& flows_;
  std::map<Finding, std::set<std::string>> found_;
  std::size_t chains_ = 0;
  std::size_t undecided_ = 0;
};

void checkLegacy(Area& area, ForwardCheck& check, Family family) {
  const std::string name = "iptables-legacy " + std::string{nameOf(family)};
  const std::string file = family == Family::Ipv4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
  if (!exists(file)) return area.notChecked(name, "no " + file + ": this kernel has none");
  const auto table = netlib::x_tables::FilterTable::readIfPresent(family);
  if (!table) return area.notChecked(name, table.error().message);
  if (!*table) return area.fine(name + " has no filter table");
  check.check(chainOf(**table, family));
}

}  // namespace

void checkForwarding(Area& area, Host* host, nft::ChainReader* reader, const std::vector<nft::ListedChain>& chains,
                     const Statuses& statuses, const Links& uplinks) {
  const std::vector<Flow> flows = flowsOf(host, statuses, uplinks);
  ForwardCheck check{area, flows};
  for (const nft::ListedChain& chain : chains) {
    if (chain.atForwardHook() && chain.table.name != "pons") check.check(chainOf(*reader, chain));
  }
  for (const Family family : {Family::Ipv4, Family::Ipv6}) checkLegacy(area, check, family);
  check.finish();
}

}  // namespace pons::ctl
