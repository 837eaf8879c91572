#include "plugin/ctl/doctor.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

std::string_view nameOf(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames{"fault", "warning", "note", "fine"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

Colour colourOf(Verdict verdict) {
  constexpr std::array kColours{Colour::Bad, Colour::Busy, Colour::None, Colour::Good};
  return kColours.at(static_cast<std::size_t>(verdict));
}

void sortWorstFirst(Diagnoses& diagnoses) { std::ranges::stable_sort(diagnoses, {}, &Diagnosis::verdict); }

std::size_t count(const Diagnoses& diagnoses, Verdict verdict) {
  return static_cast<std::size_t>(std::ranges::count(diagnoses, verdict, &Diagnosis::verdict));
}

std::string summaryOf(const Diagnoses& diagnoses) {
  const std::size_t faults = count(diagnoses, Verdict::Fault);
  const std::size_t warnings = count(diagnoses, Verdict::Warning);
  const std::string notes = counted(count(diagnoses, Verdict::Note), "note");
  if (faults + warnings == 0) return "Nothing is in the way of containers; " + notes + ".\n";
  return counted(faults, "fault") + ", " + counted(warnings, "warning") + ", " + notes + ".\n";
}

/// What is on record, where that can be read.
std::vector<Item> recorded(Diagnoses& diagnoses, netlib::Result<std::optional<Host>>& host) {
  if (host.failedWith(ESTALE)) {
    diagnoses.push_back({Verdict::Note, "records", host.error().message, "none: the next ADD begins it anew"});
  } else if (!host) {
    diagnoses.push_back({Verdict::Fault, "records", host.error().message});
  }
  if (!host || !*host) return {};
  (*host)->runsPrograms = false;
  auto stock = takeStock(**host);
  if (stock) return std::move(*stock);
  diagnoses.push_back({Verdict::Fault, "records", stock.error().message});
  return {};
}

Diagnoses examine(const Arguments& arguments) {
  Diagnoses diagnoses;
  auto opened = openHost(arguments);
  const std::vector<Item> stock = recorded(diagnoses, opened);
  Host* host = opened && *opened ? &**opened : nullptr;
  const std::vector<cni::Config> configs = lookAtConfigs(diagnoses, arguments);
  const Needs needs = needsOf(stock, configs);
  lookAtRecords(diagnoses, host, arguments, stock);
  lookAtNetworks(diagnoses, arguments);
  lookAtKernel(diagnoses, needs);
  lookAtParameters(diagnoses, needs, parameterOf, uplinks());
  lookAtFirewalls(diagnoses, host, stock);
  lookAtManagers(diagnoses, needs.bridges);
  return diagnoses;
}

}  // namespace

Needs needsOf(const std::vector<Item>& stock, const std::vector<cni::Config>& configs) {
  Needs needs;
  for (const Item& item : stock) {
    if (!item.attachment) continue;
    const Attachment& attachment = *item.attachment;
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

std::string doctorText(Diagnoses diagnoses, const Screen& screen) {
  sortWorstFirst(diagnoses);
  Table table{{{""}, {""}, {"", Column::Fit::Wrap}}};
  for (const Diagnosis& diagnosis : diagnoses) {
    table.add(
        {{std::string{nameOf(diagnosis.verdict)}, colourOf(diagnosis.verdict)}, {diagnosis.area}, {diagnosis.what}});
    if (!diagnosis.remedy.empty()) table.add({{""}, {""}, {"-> " + diagnosis.remedy}});
  }
  return table.text(screen) + "\n" + summaryOf(diagnoses);
}

std::string doctorJson(Diagnoses diagnoses) {
  sortWorstFirst(diagnoses);
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("diagnoses").beginArray();
  for (const Diagnosis& diagnosis : diagnoses) {
    writer.beginObject().member("verdict", nameOf(diagnosis.verdict)).member("area", diagnosis.area);
    writer.member("what", diagnosis.what);
    if (!diagnosis.remedy.empty()) writer.member("remedy", diagnosis.remedy);
    writer.endObject();
  }
  writer.endArray().endObject();
  return writer.text() + "\n";
}

Answer doctor(const Arguments& arguments) {
  if (geteuid() != 0) return failure("doctor", {EPERM, "must run as root, who alone sees all of this"});
  Diagnoses diagnoses = examine(arguments);
  const bool well = count(diagnoses, Verdict::Fault) + count(diagnoses, Verdict::Warning) == 0;
  std::string text =
      arguments.json ? doctorJson(std::move(diagnoses)) : doctorText(std::move(diagnoses), arguments.screen);
  return {well ? 0 : kFailed, std::move(text), {}};
}

}  // namespace pons::tools
