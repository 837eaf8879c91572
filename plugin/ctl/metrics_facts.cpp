// The data of ponsctl metrics.
#include "plugin/ctl/common.h"
#include "plugin/ctl/metrics.h"
#include "plugin/ctl/networks.h"
#include "plugin/ctl/rule_facts.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/telemetry/counters.h"

namespace pons::ctl {

namespace {

using Seconds = std::chrono::duration<double>;

double numberOf(auto count) { return static_cast<double>(count); }

void addVerbs(std::vector<Metric>& metrics, const counters::Snapshot& counters) {
  Metric results{"pons_verbs_total", "counter", "CNI calls by verb and error code, 0 for success."};
  Metric times{"pons_verb_duration_seconds", "histogram", "Duration of CNI calls by verb."};
  for (const counters::VerbCounters& one : counters.verbs) {
    const std::string verb{nameOf(one.verb)};
    for (const auto& [code, count] : one.results) {
      results.samples.push_back(
          {{{"verb", verb}, {"result", code == 0 ? "ok" : "error"}, {"code", std::to_string(code)}}, numberOf(count)});
    }
    std::uint64_t upTo = 0;
    for (std::size_t i = 0; i < one.times.size(); ++i) {
      upTo += one.times.at(i);
      const std::string bound =
          i < counters::kBounds.size() ? textOfNumber(Seconds{counters::kBounds.at(i)}.count()) : "+Inf";
      times.samples.push_back({{{"verb", verb}, {"le", bound}}, numberOf(upTo), "_bucket"});
    }
    times.samples.push_back({{{"verb", verb}}, Seconds{one.sum}.count(), "_sum"});
    times.samples.push_back({{{"verb", verb}}, numberOf(upTo), "_count"});
  }
  metrics.push_back(std::move(results));
  metrics.push_back(std::move(times));
}

void addEvents(std::vector<Metric>& metrics, const counters::Snapshot& counters) {
  const auto add = [&](const std::string& name, counters::Event event, const std::string& help) {
    metrics.push_back({name, "counter", help, {{{}, numberOf(counters.of(event))}}});
  };
  using enum counters::Event;
  add("pons_repaired_total", Repaired, "Faults of attachments that ponsctl repair has repaired.");
  add("pons_repair_failures_total", NotRepaired, "Faults of attachments that ponsctl repair could not repair.");
  add("pons_reclaimed_total", Reclaimed,
      "Attachments of stopped containers that an ADD removed to reuse their resources.");
  add("pons_swept_total", OrphanDeleted, "Leftovers, objects without a record, that GC has deleted.");
}

void addNetworks(std::vector<Metric>& metrics, const std::vector<NetworkState>& networks) {
  Metric attachments{"pons_attachments", "gauge", "Recorded attachments."};
  Metric ports{"pons_bridge_ports", "gauge", "Ports of a network's bridge; the kernel allows 1023."};
  Metric sizes{"pons_pool_addresses", "gauge", "Addresses in a range set."};
  Metric used{"pons_pool_addresses_used", "gauge", "Assigned addresses of a range set."};
  for (const NetworkState& network : networks) {
    attachments.samples.push_back({{{"network", network.name}}, numberOf(network.attachments)});
    if (network.ports) {
      ports.samples.push_back({{{"network", network.name}, {"bridge", network.bridge}}, numberOf(*network.ports)});
    }
    for (const Pool& pool : network.pools) {
      const Sample sample{{{"network", network.name}, {"pool", pool.ranges}}, numberOf(pool.size)};
      sizes.samples.push_back(sample);
      used.samples.push_back({sample.labels, numberOf(pool.used)});
    }
  }
  for (Metric* metric : {&attachments, &ports, &sizes, &used}) metrics.push_back(std::move(*metric));
}

/// Sends kernel requests only for attachments with an egress policy.
void addDenied(std::vector<Metric>& metrics, Host& host, const Attachment& attachment) {
  for (const auto& [family, denied] : deniedBy(host, attachment)) {
    Sample sample{{{"network", attachment.key.network.toString()},
                   {"container", attachment.key.container.toString()},
                   {"interface", attachment.key.ifName.toString()},
                   {"family", family == netlib::Family::Ipv4 ? "ipv4" : "ipv6"}},
                  numberOf(denied.packets)};
    if (!attachment.pod.empty()) sample.labels.emplace_back("pod", attachment.pod);
    metrics.back().samples.push_back(std::move(sample));
  }
}

/// Of all published ports with allowFrom; no samples without such a port.
Metric rejectedBy(Host& host) {
  Metric rejected{"pons_published_rejected_packets_total", "counter",
                  "Packets to published ports from clients that allowFrom does not allow."};
  for (const auto family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
    const auto counted = netlib::nft::countPackets(host.netfilter, nat::tableOf(family), restricted::kRestricted);
    if (!counted) continue;
    rejected.samples.push_back(
        {{{"family", family == netlib::Family::Ipv4 ? "ipv4" : "ipv6"}}, numberOf(counted->packets)});
  }
  return rejected;
}

netlib::Result<> addRecords(std::vector<Metric>& metrics, const Arguments& arguments) {
  metrics.push_back({"pons_egress_denied_packets_total", "counter", "Packets denied by an egress policy."});
  auto host = TRY(openHost(arguments));
  if (!host) return {};
  for (const AttachmentKey& key : TRY(host->ledger.attachments())) {
    const auto seen = host->ledger.snapshot(key);
    if (seen && *seen) addDenied(metrics, *host, (*seen)->attachment);
  }
  metrics.push_back(rejectedBy(*host));
  return {};
}

}  // namespace

netlib::Result<Metrics> metricsOf(const Arguments& arguments) {
  auto networks = TRY(networksOf(arguments));
  Metrics metrics{.problems = std::move(networks.problems)};
  const auto counters = TRY(counters::read(arguments.stateDir));
  addNetworks(metrics.all, networks.all);
  metrics.all.push_back({"pons_unreadable_records",
                         "gauge",
                         "Records of attachments that cannot be read; other metrics lack what is in them.",
                         {{{}, numberOf(networks.unreadable)}}});
  addVerbs(metrics.all, counters);
  addEvents(metrics.all, counters);
  TRY(addRecords(metrics.all, arguments));
  return metrics;
}

}  // namespace pons::ctl
