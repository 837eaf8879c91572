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
  std::vector<Finding> findings;

  bool isBroken(const Finding& finding) const { return mode == RepairMode::Look || !finding.reason.empty(); }
  int exitCode() const {
    return std::ranges::any_of(findings, [this](const Finding& f) { return isBroken(f); }) ? kFailed : 0;
  }
};

Answer textOf(const Repaired& repaired) {
  if (repaired.findings.empty()) return {0, "nothing is missing\n", {}};
  Answer answer{repaired.exitCode(), {}, {}};
  for (const Finding& finding : repaired.findings) {
    answer.out += repaired.isBroken(finding) ? "broken: " : "mended: ";
    answer.out += netlib::printable(finding.key.toString() + ": " + finding.what);
    answer.out += finding.reason.empty() ? "\n" : " (" + netlib::printable(finding.reason) + ")\n";
  }
  return answer;
}

Answer jsonOf(const Repaired& repaired) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("findings").beginArray();
  for (const Finding& finding : repaired.findings) {
    writer.beginObject();
    writeKey(writer, finding.key);
    writer.member("what", finding.what).member("mended", !repaired.isBroken(finding));
    if (!finding.reason.empty()) writer.member("reason", finding.reason);
    writer.endObject();
  }
  writer.endArray().endObject();
  return documentOf(writer, repaired.exitCode());
}

void count(const std::string& stateDir, const std::vector<Finding>& findings) {
  const auto mended =
      static_cast<std::size_t>(std::ranges::count_if(findings, [](const Finding& f) { return f.reason.empty(); }));
  tally::count(stateDir, tally::Event::Mended, mended);
  tally::count(stateDir, tally::Event::Unmended, findings.size() - mended);
}

}  // namespace

Answer repair(const Arguments& arguments) {
  auto host = openHost(arguments);
  if (!host) return failure("repair", host.error());
  Repaired repaired{arguments.dryRun ? RepairMode::Look : RepairMode::Mend, {}};
  if (*host) {
    auto findings = pons::repair(**host, repaired.mode);
    if (!findings) return failure("repair", findings.error());
    repaired.findings = std::move(*findings);
    if (!arguments.dryRun) count(arguments.stateDir, repaired.findings);
  }
  return arguments.json ? jsonOf(repaired) : textOf(repaired);
}

}  // namespace pons::tools
