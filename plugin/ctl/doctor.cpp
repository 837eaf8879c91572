#include "plugin/ctl/doctor.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/report.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

using netlib::Family;

namespace {

/// By Severity.
struct Verdict {
  std::string_view name;
  Colour colour;
};
constexpr std::array<Verdict, 5> kVerdicts{{{"fault", Colour::Bad},
                                            {"warning", Colour::Busy},
                                            {"note", Colour::None},
                                            {"not checked", Colour::Faint},
                                            {"fine", Colour::Good}}};

const Verdict& verdictOf(Severity severity) { return kVerdicts.at(static_cast<std::size_t>(severity)); }

std::size_t countIn(const json::Value& document, Severity severity) {
  return countIf(document["diagnoses"].items(),
                 [&](const json::Value& one) { return one["verdict"].string() == verdictOf(severity).name; });
}

std::string summaryOf(const json::Value& document) {
  const std::size_t faults = countIn(document, Severity::Fault);
  const std::size_t warnings = countIn(document, Severity::Warning);
  const std::string rest = counted(countIn(document, Severity::Note), "note") + ", " +
                           std::to_string(document["notChecked"].items().size()) + " not checked";
  if (faults + warnings == 0) return "No problems found in what was checked (" + rest + ").\n";
  return counted(faults, "fault") + ", " + counted(warnings, "warning") + ", " + rest + ".\n";
}

Statuses recorded(CheckResults& results, netlib::Result<std::optional<Host>>& host) {
  Area area{results, "records"};
  if (host.failedWith(netlib::Cause::Differs)) {
    area.note(FindingId::LedgerOfEarlierBoot, host.error().message, "none needed: the next ADD starts a new ledger");
  } else if (!host) {
    const bool isMissing = host.failedWith(netlib::Cause::Missing);
    area.fault(isMissing ? FindingId::StateDirectoryMissing : FindingId::LedgerUnreadable, host.error().message);
  }
  if (!host) area.notChecked("recorded attachments", "the ledger cannot be opened");
  if (!host || !*host) return {};
  auto statuses = collectStatus(**host);
  if (statuses) return std::move(*statuses);
  area.fault(FindingId::LedgerUnreadable, statuses.error().message);
  return {};
}

void addAttachment(Needs& needs, const Attachment& attachment) {
  needs.bridges.insert(attachment.bridge.name.toString());
  for (const Lease& lease : attachment.leases) {
    ++needs.addresses[lease.address.family()];
    if (lease.address.family() == Family::Ipv6) {
      needs.ipv6Bridges.insert({attachment.key.network.toString(), routedLink(attachment).toString()});
    }
  }
  for (const auto family : {Family::Ipv4, Family::Ipv6}) {
    if (has(attachment, shared_state::ipForwarding(family))) ++needs.forwarding[family];
  }
  needs.bridgeFilter |= has(attachment, shared_state::brNetfilter(attachment));
  needs.sendLimit |= attachment.bandwidth && attachment.bandwidth->egress;
}

void addConfig(Needs& needs, const ConfiguredNetwork& network) {
  const cni::Config& config = network.config;
  needs.bridges.insert(config.bridge.name.toString());
  const bool hasIpv6 =
      std::ranges::any_of(spansOf(config.addresses.sets),
                          [](const AddressSpan& span) { return span.first.family() == Family::Ipv6; }) ||
      std::ranges::any_of(config.addresses.fixed,
                          [](const Lease& lease) { return lease.address.family() == Family::Ipv6; });
  if (hasIpv6) needs.ipv6Bridges.insert({network.name, config.bridge.name.toString()});
  needs.bridgeFilter |= config.egress.has_value();
  needs.sendLimit |= config.bandwidth && config.bandwidth->egress;
}

}  // namespace

std::string_view nameOf(Severity severity) { return verdictOf(severity).name; }

netlib::Result<Diagnosis> diagnose(const Arguments& arguments) {
  if (geteuid() != 0) return netlib::fail(netlib::Cause::Invalid, "must be run as root");
  Diagnosis diagnosis;
  CheckResults& results = diagnosis.results;
  auto opened = openHost(arguments);
  diagnosis.statuses = recorded(results, opened);
  const Statuses& statuses = diagnosis.statuses;
  Host* host = opened && *opened ? &**opened : nullptr;
  const ConfiguredNetworks networks = checkConfigs(results, arguments);
  const Needs needs = needsOf(statuses, networks);
  const Links outer = uplinks();
  checkStateDirectory(results, host, arguments, networks);
  checkRecords(results, host, arguments, statuses);
  checkNetworks(results, arguments, statuses, outer);
  checkContainers(results, host, statuses, networks, outer);
  checkPorts(results, statuses);
  checkKernel(results, needs);
  checkParameters(results, needs, parameterOf, outer);
  checkFirewalls(results, host, statuses, outer);
  checkManagers(results, needs.bridges);
  return diagnosis;
}

Needs needsOf(const Statuses& statuses, const ConfiguredNetworks& networks) {
  Needs needs;
  for (const AttachmentStatus& status : statuses) {
    if (status.attachment) addAttachment(needs, *status.attachment);
  }
  for (const ConfiguredNetwork& network : networks) addConfig(needs, network);
  return needs;
}

std::string someOf(const std::set<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> some(names.begin(), names.end());
  if (some.size() <= kMost + 1) return joined(some);
  some.resize(kMost);
  return joined(some) + " and " + std::to_string(names.size() - kMost) + " more";
}

std::string doctorText(const json::Value& document, const Terminal& terminal) {
  Table table{{{""}, {""}, {"", Column::Fit::Wrap}}};
  const auto add = [&table](const Verdict& verdict, const json::Value& result, const std::string& end) {
    const std::string name{verdict.name};
    table.add({{name, verdict.colour}, {plainText(result["area"])}, {plainText(result["what"]) + end}});
  };
  for (const json::Value& result : document["diagnoses"].items()) {
    const std::string name = plainText(result["verdict"]);
    for (const Verdict& verdict : kVerdicts) {
      if (verdict.name == name) add(verdict, result, "");
    }
    if (const json::Value remedy = result["remedy"]; remedy.present()) table.add({{}, {}, {"-> " + plainText(remedy)}});
  }
  for (const json::Value& result : document["notChecked"].items()) {
    add(verdictOf(Severity::NotChecked), result, " (" + plainText(result["why"]) + ")");
  }
  return table.text(terminal) + "\n" + summaryOf(document);
}

std::string doctorJson(CheckResults results) {
  const auto isChecked = [](const CheckResult& result) { return result.severity != Severity::NotChecked; };
  const auto left = std::ranges::stable_partition(results, isChecked);
  const CheckResults omitted(left.begin(), left.end());
  results.erase(left.begin(), left.end());
  std::ranges::stable_sort(results, {}, &CheckResult::severity);
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "diagnoses", results, [](json::Writer& to, const CheckResult& result) {
      to.member("verdict", nameOf(result.severity));
      if (result.id) to.member("id", nameOf(*result.id));
      to.member("area", result.area).member("what", result.what);
      if (!result.remedy.empty()) to.member("remedy", result.remedy);
    });
    writeObjects(writer, "notChecked", omitted, [](json::Writer& to, const CheckResult& result) {
      to.member("area", result.area).member("what", result.what).member("why", result.why);
    });
  });
}

netlib::Result<Answer> doctor(const Arguments& arguments) {
  CheckResults results = TRY(diagnose(arguments)).results;
  const bool isFine = std::ranges::none_of(results, [](const CheckResult& result) {
    return result.severity == Severity::Fault || result.severity == Severity::Warning;
  });
  return answer(arguments, doctorJson(std::move(results)), doctorText, isFine ? 0 : kFailed);
}

}  // namespace pons::ctl
