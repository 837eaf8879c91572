// Where pons metrics gets its numbers from.
#include "plugin/ctl/common.h"
#include "plugin/ctl/metrics.h"
#include "plugin/ctl/networks.h"
#include "plugin/ctl/rule_facts.h"
#include "plugin/telemetry/counters.h"

namespace pons::tools {

namespace {

using Seconds = std::chrono::duration<double>;

double numberOf(auto count) { return static_cast<double>(count); }

void addVerbs(std::vector<Metric>& metrics, const tally::Tally& tally) {
  Metric results{"pons_verbs_total", "counter", "Runs of each verb of CNI, by the error code that it answered."};
  Metric times{"pons_verb_duration_seconds", "histogram",
               "How long each verb took, from its environment to its answer."};
  for (const tally::VerbTally& one : tally.verbs) {
    const std::string verb{nameOf(one.verb)};
    for (const auto& [code, count] : one.results) {
      results.samples.push_back(
          {{{"verb", verb}, {"result", code == 0 ? "ok" : "error"}, {"code", std::to_string(code)}}, numberOf(count)});
    }
    std::uint64_t upTo = 0;
    for (std::size_t i = 0; i < one.times.size(); ++i) {
      upTo += one.times.at(i);
      const std::string bound =
          i < tally::kBounds.size() ? textOfNumber(Seconds{tally::kBounds.at(i)}.count()) : "+Inf";
      times.samples.push_back({{{"verb", verb}, {"le", bound}}, numberOf(upTo), "_bucket"});
    }
    times.samples.push_back({{{"verb", verb}}, Seconds{one.sum}.count(), "_sum"});
    times.samples.push_back({{{"verb", verb}}, numberOf(upTo), "_count"});
  }
  metrics.push_back(std::move(results));
  metrics.push_back(std::move(times));
}

void addEvents(std::vector<Metric>& metrics, const tally::Tally& tally) {
  const auto add = [&](const std::string& name, tally::Event event, const std::string& help) {
    metrics.push_back({name, "counter", help, {{{}, numberOf(tally.of(event))}}});
  };
  using enum tally::Event;
  add("pons_repaired_total", Mended, "States of attachments that pons repair brought back.");
  add("pons_repair_failures_total", Unmended, "States that pons repair could not bring back.");
  add("pons_reclaimed_total", Reclaimed, "Attachments of dead containers that an ADD took away as it needed room.");
  add("pons_swept_total", Swept, "Leftovers without a record that GC took away.");
}

void addNetworks(std::vector<Metric>& metrics, const std::vector<NetworkState>& networks) {
  Metric attachments{"pons_attachments", "gauge", "Attachments on record."};
  Metric ports{"pons_bridge_ports", "gauge", "Ports of a network's bridge, of which the kernel allows 1023."};
  Metric sizes{"pons_pool_addresses", "gauge", "Addresses that a range set has to give."};
  Metric used{"pons_pool_addresses_used", "gauge", "Addresses of a range set that somebody has."};
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

/// Only those with a policy cost a question to the kernel.
void addDenied(std::vector<Metric>& metrics, Host& host, const Attachment& attachment) {
  for (const auto& [family, denied] : deniedBy(host, attachment)) {
    metrics.back().samples.push_back({{{"network", attachment.key.network.toString()},
                                       {"container", attachment.key.container.toString()},
                                       {"interface", attachment.key.ifName.toString()},
                                       {"family", family == netlib::Family::Ipv4 ? "ipv4" : "ipv6"}},
                                      numberOf(denied.packets)});
  }
}

netlib::Result<> addRecords(std::vector<Metric>& metrics, const Arguments& arguments) {
  metrics.push_back({"pons_egress_denied_packets_total", "counter", "Packets that an egress policy dropped."});
  auto host = TRY(openHost(arguments));
  if (!host) return {};
  for (const AttachmentKey& key : TRY(host->ledger.attachments())) {
    const auto seen = host->ledger.snapshot(key);
    if (seen && *seen) addDenied(metrics, *host, (*seen)->attachment);
  }
  return {};
}

}  // namespace

netlib::Result<std::vector<Metric>> metricsOf(const Arguments& arguments) {
  std::vector<Metric> metrics;
  const auto networks = TRY(networksOf(arguments));
  const auto tally = TRY(tally::read(arguments.stateDir));
  addNetworks(metrics, networks.all);
  addVerbs(metrics, tally);
  addEvents(metrics, tally);
  TRY(addRecords(metrics, arguments));
  return metrics;
}

}  // namespace pons::tools
