#include "plugin/ctl/probe_packets.h"

#include <algorithm>

#include "plugin/ctl/format.h"
#include "plugin/ctl/rule_facts.h"

namespace pons::ctl {

using netlib::IpAddress;
using packet::End;
using packet::Outcome;
using packet::Target;

namespace {

Outcome outcomeOf(const netlib::Result<Outcome>& sent) {
  return sent ? *sent : Outcome{.end = End::NotSent, .reason = sent.error().message};
}

struct Drops {
  std::uint64_t egress = 0;  ///< by the container's policy
  std::uint64_t guard = 0;   ///< by the spoof guard, of all containers
};

Drops dropsOf(Host& host, const Attachment& attachment) {
  Drops drops;
  for (const auto& [family, counted] : deniedBy(host, attachment)) drops.egress += counted.packets;
  if (attachment.guard == SpoofGuard::None) return drops;
  for (const auto& [reason, frames] : spoofedFrames(host)) drops.guard += frames;
  return drops;
}

std::string textOf(const Drops& before, const Drops& after) {
  std::string text;
  const auto add = [&text](std::uint64_t first, std::uint64_t last, const char* by) {  // tables may have been replaced
    if (last > first) text += "; meanwhile " + std::string{by} + " dropped " + counted(last - first, "packet");
  };
  add(before.egress, after.egress, "egressPolicy");
  add(before.guard, after.guard, "the spoof guard");
  return text;
}

}  // namespace

std::string textOf(const Outcome& outcome) {
  switch (outcome.end) {
    case End::Answered: {
      const auto tenths = (outcome.time.count() + 50) / 100;
      return "answered in " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
    }
    case End::NoAnswer:
      return "no answer";
    case End::Refused:
      return "refused";
    case End::Unreachable:
      return "ICMP: " + outcome.reason + (outcome.from ? ", from " + outcome.from->toString() : "");
    case End::NoRoute:
      return "no route";
    case End::NotSent:
      return "not sent: " + outcome.reason;
  }
  return {};
}

std::optional<netlib::route::Route> defaultRoute(Host& host, netlib::Family family) {
  const auto routes = netlib::route::list(host.route, family);
  std::optional<netlib::route::Route> best;
  for (std::size_t i = 0; routes && i < routes->size(); ++i) {
    const auto& route = (*routes)[i];
    const bool isDefault = route.destination.length() == 0 && route.table == netlib::route::kMainTable;
    if (isDefault && (!best || route.metric < best->metric)) best = route;
  }
  return best;
}

void Probing::add(std::string target, std::string address, Verdict verdict, std::string result) {
  results.push_back({std::move(target), std::move(address), verdict, std::move(result)});
}

bool Probing::settle(const std::string& target, const std::string& address, const Outcome& outcome,
                     const std::string& denial) {
  if (isAnswered(outcome)) {
    add(target, address, denial.empty() ? Verdict::Answered : Verdict::Fault,
        textOf(outcome) + (denial.empty() ? "" : ", but " + denial + ": run ponsctl check"));
    results.back().time = outcome.time;
  } else if (!denial.empty()) {
    add(target, address, Verdict::Denied, denial);
  }
  return isAnswered(outcome) || !denial.empty();
}

Target Probing::targetAt(const IpAddress& address, Port port) const {
  const auto link = address.isLinkLocal() ? std::optional{attachment.key.ifName} : std::nullopt;
  return {.address = address, .port = port, .link = link};
}

Outcome Probing::fromHost(Method method, const Target& to) const { return outcomeOf(method(to, timeout)); }

Outcome Probing::fromContainer(Method method, const Target& to) const {
  return outcomeOf(host.container->netns.inside([&] { return method(to, timeout); }));
}

Probing::Watched Probing::watched(Method method, const Target& to) const {
  const Drops before = dropsOf(host, attachment);
  Watched sent{fromContainer(method, to)};
  if (!isAnswered(sent.outcome)) sent.drops = textOf(before, dropsOf(host, attachment));
  return sent;
}

bool Probing::isInSubnet(const IpAddress& address) const {
  return std::ranges::any_of(attachment.leases, [&](const Lease& lease) { return lease.address.contains(address); });
}

std::string Probing::denialOf(const egress::Destination& to) const {
  if (to.address.isLoopback()) return {};
  if (attachment.egress && !egress::permits(*attachment.egress, to)) return "denied by egressPolicy";
  if (attachment.internal && !isInSubnet(to.address)) return "not allowed: the network is internal";
  return {};
}

}  // namespace pons::ctl
