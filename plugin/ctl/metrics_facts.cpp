// The data of ponsctl metrics.
#include "plugin/cni/applet.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/metrics_parts.h"
#include "plugin/telemetry/counters.h"

namespace pons::ctl {

namespace {

using Seconds = std::chrono::duration<double>;

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

/// The doctor inspects all attachments: as expensive as ponsctl check.
netlib::Result<> addInspected(std::vector<Metric>& metrics, const Arguments& arguments,
                              const std::vector<NetworkState>& networks) {
  const Diagnosis diagnosis = TRY(diagnose(arguments));
  metrics.push_back(healthMetric(networks, diagnosis.statuses));
  metrics.push_back(findingsMetric(diagnosis.results));
  auto host = TRY(openHost(arguments));
  if (host) TRY(addPackets(metrics, *host));
  return {};
}

}  // namespace

netlib::Result<Metrics> metricsOf(const Arguments& arguments) {
  auto networks = TRY(networksOf(arguments));
  Metrics metrics{.problems = std::move(networks.problems)};
  const auto counters = TRY(counters::read(arguments.stateDir));
  addNetworks(metrics.all, networks.all);
  metrics.all.push_back({"pons_build_info",
                         "gauge",
                         "The version of ponsctl, as a label of 1.",
                         {{{{"version", std::string{cni::release()}}}, 1}}});
  metrics.all.push_back({"pons_unreadable_records",
                         "gauge",
                         "Records of attachments that cannot be read; other metrics lack what is in them.",
                         {{{}, numberOf(networks.unreadable)}}});
  addVerbs(metrics.all, counters);
  addEvents(metrics.all, counters);
  TRY(addInspected(metrics.all, arguments, networks.all));
  return metrics;
}

}  // namespace pons::ctl
