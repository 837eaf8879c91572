#include <map>
#include <tuple>

#include "plugin/ctl/metrics_parts.h"

namespace pons::ctl {

namespace {

using Interface = std::tuple<NetworkName, ContainerId, netlib::IfName>;

std::map<Interface, Health> interfacesOf(const Statuses& statuses) {
  std::map<Interface, Health> interfaces;
  for (const AttachmentStatus& status : statuses) {
    const auto& [network, container, ifName, plugin] = status.key;
    const auto [known, isNew] = interfaces.try_emplace({network, container, ifName}, status.health);
    if (!isNew && isBad(status.health) && !isBad(known->second)) known->second = status.health;
  }
  return interfaces;
}

}  // namespace

Metric healthMetric(const std::vector<NetworkState>& networks, const Statuses& statuses) {
  const auto names = healthNames();
  std::map<std::string, std::vector<std::size_t>> numbers;  // by network; of each health
  const auto of = [&](const std::string& network) -> std::vector<std::size_t>& {
    return numbers.try_emplace(network, names.size()).first->second;
  };
  for (const NetworkState& network : networks) of(network.name);
  for (const auto& [interface, health] : interfacesOf(statuses)) {
    ++of(std::get<NetworkName>(interface).toString()).at(static_cast<std::size_t>(health));
  }
  Metric metric{"pons_attachment_health", "gauge", "Interfaces of containers by network and health, see ponsctl list."};
  for (const auto& [network, counts] : numbers) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      metric.samples.push_back({{{"network", network}, {"health", std::string{names[i]}}}, numberOf(counts[i])});
    }
  }
  return metric;
}

Metric findingsMetric(const CheckResults& results) {
  std::map<std::pair<FindingId, Severity>, std::size_t> numbers;
  for (const CheckResult& result : results) {
    if (result.id) ++numbers[{*result.id, result.severity}];
  }
  Metric metric{"pons_doctor_findings", "gauge",
                "Findings of ponsctl doctor by id and verdict, see DOCTOR in ponsctl(8)."};
  for (const auto& [finding, number] : numbers) {
    const auto& [id, severity] = finding;
    metric.samples.push_back(
        {{{"finding", std::string{nameOf(id)}}, {"verdict", std::string{nameOf(severity)}}}, numberOf(number)});
  }
  return metric;
}

}  // namespace pons::ctl
