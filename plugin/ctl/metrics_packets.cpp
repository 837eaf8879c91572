#include "plugin/ctl/metrics_parts.h"
#include "plugin/ctl/rule_facts.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/restricted_ports.h"

namespace pons::ctl {

using netlib::Family;

namespace {

std::string labelOf(Family family) { return family == Family::Ipv4 ? "ipv4" : "ipv6"; }

/// Sends kernel requests only for attachments with an egress policy.
void addDenied(Metric& denied, Host& host, const Attachment& attachment) {
  for (const auto& [family, counted] : deniedBy(host, attachment)) {
    Sample sample{{{"network", attachment.key.network.toString()},
                   {"container", attachment.key.container.toString()},
                   {"interface", attachment.key.ifName.toString()},
                   {"family", labelOf(family)}},
                  numberOf(counted.packets)};
    if (!attachment.pod.empty()) sample.labels.emplace_back("pod", attachment.pod);
    denied.samples.push_back(std::move(sample));
  }
}

netlib::Result<Metric> egressMetric(Host& host) {
  Metric denied{"pons_egress_denied_packets_total", "counter", "Packets denied by an egress policy."};
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const auto seen = host.ledger.snapshot(key);
    if (seen && *seen) addDenied(denied, host, (*seen)->attachment);
  }
  return denied;
}

/// Of all published ports with allowFrom; no samples without such a port.
Metric rejectedMetric(Host& host) {
  Metric rejected{"pons_published_rejected_packets_total", "counter",
                  "Packets to published ports from clients that allowFrom does not allow."};
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const auto counted = netlib::nft::countPackets(host.netfilter, nat::tableOf(family), restricted::kRestricted);
    if (counted) rejected.samples.push_back({{{"family", labelOf(family)}}, numberOf(counted->packets)});
  }
  return rejected;
}

Metric policyMetric(Host& host) {
  Metric denied{"pons_policy_denied_packets_total", "counter",
                "Packets denied by a policy of a bridge: ingressPolicy, internal or publishedOnly."};
  for (const DeniedByKey& one : deniedByKey(host)) {
    denied.samples.push_back({{{"policy", one.key}, {"family", labelOf(one.family)}}, numberOf(one.packets)});
  }
  return denied;
}

Metric spoofedMetric(Host& host) {
  Metric dropped{"pons_spoofed_frames_total", "counter",
                 "Frames of containers that the spoof guard dropped, by what was wrong with them."};
  for (const auto& [reason, frames] : spoofedFrames(host)) {
    dropped.samples.push_back({{{"reason", reason}}, numberOf(frames)});
  }
  return dropped;
}

}  // namespace

netlib::Result<> addPackets(std::vector<Metric>& metrics, Host& host) {
  metrics.push_back(TRY(egressMetric(host)));
  metrics.push_back(rejectedMetric(host));
  metrics.push_back(policyMetric(host));
  metrics.push_back(spoofedMetric(host));
  return {};
}

}  // namespace pons::ctl
