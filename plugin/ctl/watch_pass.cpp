#include <algorithm>
#include <filesystem>

#include "plugin/ctl/check.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/metrics.h"
#include "plugin/ctl/orphans.h"
#include "plugin/ctl/watch.h"
#include "plugin/verbs/delegate.h"

namespace pons::ctl {

namespace {

void collect(Host& host, const Arguments& arguments, Pass& pass) {
  Arguments deleting = arguments;
  deleting.deletes = true;
  const auto dead = collectDead(host, deleting);
  if (!dead) return pass.problems.push_back(dead.error().message);
  for (const std::string& problem : dead->problems) pass.problems.push_back(problem);
  for (const OrphanResult& one : dead->all) {
    const std::string what = "attachment " + one.orphan.name + " of container " + one.orphan.container->toString() +
                             ", network " + one.orphan.network->toString() + " (" + one.orphan.why + ")";
    if (one.failure.empty()) {
      pass.done.push_back("removed: " + what);
    } else {
      pass.problems.push_back("not removed: " + what + ": " + one.failure);
    }
  }
}

void restore(Host& host, const Arguments& arguments, Pass& pass) {
  const auto findings = repaired(host, arguments);
  if (!findings) return pass.problems.push_back(findings.error().message);
  pass.hadFaults = !findings->empty();
  for (const Finding& finding : *findings) {
    const bool isDone = finding.fault.reason.empty();
    const std::string line = repairLine(finding);
    std::vector<std::string>& lines = isDone ? pass.done : pass.problems;
    // Of shared state there is one for each attachment.
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
  }
}

}  // namespace

Pass passOver(const Arguments& arguments) {
  Pass pass;
  auto host = openHost(arguments);
  if (!host) {
    pass.problems.push_back(host.error().message);
  } else if (*host) {
    (*host)->ipam = std::make_unique<Delegate>(arguments.pluginPath);
    collect(**host, arguments, pass);
    restore(**host, arguments, pass);
  }
  return pass;
}

netlib::Result<> writeMetrics(const Arguments& arguments) {
  std::error_code error;
  const auto directory = std::filesystem::path{arguments.metricsFile}.parent_path();
  if (arguments.metricsFile.empty() || !std::filesystem::is_directory(directory, error)) return {};
  const auto found = TRY(metricsOf(arguments));
  return replaceFile(arguments.metricsFile, metricsText(found.all), 0644);
}

}  // namespace pons::ctl
