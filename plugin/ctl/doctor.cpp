#include "plugin/ctl/doctor.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

namespace {

std::string_view nameOf(Severity severity) {
  constexpr std::array<std::string_view, 4> kNames{"fault", "warning", "note", "fine"};
  return kNames.at(static_cast<std::size_t>(severity));
}

Colour colourOf(Severity severity) {
  constexpr std::array kColours{Colour::Bad, Colour::Busy, Colour::None, Colour::Good};
  return kColours.at(static_cast<std::size_t>(severity));
}

void sortBySeverity(CheckResults& results) { std::ranges::stable_sort(results, {}, &CheckResult::severity); }

std::size_t count(const CheckResults& results, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(results, severity, &CheckResult::severity));
}

std::string summaryOf(const CheckResults& results) {
  const std::size_t faults = count(results, Severity::Fault);
  const std::size_t warnings = count(results, Severity::Warning);
  const std::string notes = counted(count(results, Severity::Note), "note");
  if (faults + warnings == 0) return "No problems found (" + notes + ").\n";
  return counted(faults, "fault") + ", " + counted(warnings, "warning") + ", " + notes + ".\n";
}

std::vector<AttachmentStatus> recorded(CheckResults& results, netlib::Result<std::optional<Host>>& host) {
  if (host.failedWith(netlib::Cause::Differs)) {
    results.push_back(
        {Severity::Note, "records", host.error().message, "none needed: the next ADD starts a new ledger"});
  } else if (!host) {
    results.push_back({Severity::Fault, "records", host.error().message});
  }
  if (!host || !*host) return {};
  (*host)->runsPrograms = false;
  auto statuses = collectStatus(**host);
  if (statuses) return std::move(*statuses);
  results.push_back({Severity::Fault, "records", statuses.error().message});
  return {};
}

CheckResults runChecks(const Arguments& arguments) {
  CheckResults results;
  auto opened = openHost(arguments);
  const std::vector<AttachmentStatus> statuses = recorded(results, opened);
  Host* host = opened && *opened ? &**opened : nullptr;
  const std::vector<cni::Config> configs = checkConfigs(results, arguments);
  const Needs needs = needsOf(statuses, configs);
  checkRecords(results, host, arguments, statuses);
  checkNetworks(results, arguments);
  checkKernel(results, needs);
  checkParameters(results, needs, parameterOf, uplinks());
  checkFirewalls(results, host, statuses);
  checkManagers(results, needs.bridges);
  return results;
}

}  // namespace

Needs needsOf(const std::vector<AttachmentStatus>& statuses, const std::vector<cni::Config>& configs) {
  Needs needs;
  for (const AttachmentStatus& status : statuses) {
    if (!status.attachment) continue;
    const Attachment& attachment = *status.attachment;
    needs.bridges.insert(attachment.bridge.name.toString());
    for (const Lease& lease : attachment.leases) ++needs.addresses[lease.address.address().family()];
    for (const auto family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
      if (has(attachment, shared_state::ipForwarding(family))) ++needs.forwarding[family];
    }
    needs.bridgeFilter |= has(attachment, shared_state::brNetfilter(attachment));
    needs.sendLimit |= attachment.bandwidth && attachment.bandwidth->egress;
  }
  for (const cni::Config& config : configs) {
    needs.bridges.insert(config.bridge.toString());
    needs.bridgeFilter |= config.egress.has_value();
    needs.sendLimit |= config.bandwidth && config.bandwidth->egress;
  }
  return needs;
}

std::string doctorText(CheckResults results, const Terminal& terminal) {
  sortBySeverity(results);
  Table table{{{""}, {""}, {"", Column::Fit::Wrap}}};
  for (const CheckResult& result : results) {
    table.add({{std::string{nameOf(result.severity)}, colourOf(result.severity)}, {result.area}, {result.what}});
    if (!result.remedy.empty()) table.add({{""}, {""}, {"-> " + result.remedy}});
  }
  return table.text(terminal) + "\n" + summaryOf(results);
}

std::string doctorJson(CheckResults results) {
  sortBySeverity(results);
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "diagnoses", results, [](json::Writer& to, const CheckResult& result) {
      to.member("verdict", nameOf(result.severity)).member("area", result.area).member("what", result.what);
      if (!result.remedy.empty()) to.member("remedy", result.remedy);
    });
  });
}

Answer doctor(const Arguments& arguments) {
  if (geteuid() != 0) return failure("doctor", {netlib::Cause::System, EPERM, "must be run as root"});
  CheckResults results = runChecks(arguments);
  const bool isFine = count(results, Severity::Fault) + count(results, Severity::Warning) == 0;
  std::string text =
      arguments.json ? doctorJson(std::move(results)) : doctorText(std::move(results), arguments.terminal);
  return {isFine ? 0 : kFailed, std::move(text), {}};
}

}  // namespace pons::ctl
