#include "plugin/engine/repair.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/telemetry/counters.h"

namespace pons::tools {

namespace {

struct Repaired {
  RepairMode mode;
  std::vector<RepairedFault> findings;

  bool isBroken(const RepairedFault& finding) const { return mode == RepairMode::DryRun || !finding.reason.empty(); }
  int exitCode() const {
    return std::ranges::any_of(findings, [this](const RepairedFault& f) { return isBroken(f); }) ? kFailed : 0;
  }
};

Answer textOf(const Repaired& repaired) {
  if (repaired.findings.empty()) return {0, "nothing is missing\n", {}};
  Answer answer{repaired.exitCode(), {}, {}};
  for (const RepairedFault& finding : repaired.findings) {
    answer.out += repaired.isBroken(finding) ? "broken: " : "mended: ";
    answer.out += netlib::printable(finding.key.toString() + ": " + finding.what);
    answer.out += finding.reason.empty() ? "\n" : " (" + netlib::printable(finding.reason) + ")\n";
  }
  return answer;
}

Answer jsonOf(const Repaired& repaired) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("findings").beginArray();
  for (const RepairedFault& finding : repaired.findings) {
    writer.beginObject();
    writeKey(writer, finding.key);
    writer.member("what", finding.what).member("mended", !repaired.isBroken(finding));
    if (!finding.reason.empty()) writer.member("reason", finding.reason);
    writer.endObject();
  }
  writer.endArray().endObject();
  return documentOf(writer, repaired.exitCode());
}

void count(const std::string& stateDir, const std::vector<RepairedFault>& findings) {
  const auto mended =
      static_cast<std::size_t>(std::ranges::count_if(findings, [](const RepairedFault& f) { return f.reason.empty(); }));
  tally::count(stateDir, tally::Event::Mended, mended);
  tally::count(stateDir, tally::Event::Unmended, findings.size() - mended);
}

}  // namespace

Answer repair(const Arguments& arguments) {
  auto host = openHost(arguments);
  if (!host) return failure("repair", host.error());
  Repaired repaired{arguments.dryRun ? RepairMode::DryRun : RepairMode::Repair, {}};
  if (*host) {
    auto findings = pons::repair(**host, repaired.mode);
    if (!findings) return failure("repair", findings.error());
    repaired.findings = std::move(*findings);
    if (!arguments.dryRun) count(arguments.stateDir, repaired.findings);
  }
  return arguments.json ? jsonOf(repaired) : textOf(repaired);
}

}  // namespace pons::tools
