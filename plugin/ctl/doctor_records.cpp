// The ledger, compared with the kernel.
#include <algorithm>

#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/orphans.h"

namespace pons::ctl {

namespace {

constexpr const char* kArea = "records";
constexpr const char* kGcRemedy = "\"ponsctl gc\" lists them, \"ponsctl gc --delete\" removes them";

struct RecordFault {
  Severity severity;
  std::vector<Health> healths;
  const char* what;  ///< of one attachment
  const char* whatOfMany;
  const char* remedy;
};

const std::vector<RecordFault>& recordFaults() {
  static const std::vector<RecordFault> all{
      {Severity::Fault,
       {Health::Broken},
       "is incomplete",
       "are incomplete",
       "\"ponsctl check\" shows each fault and its remedy"},
      {Severity::Fault,
       {Health::Unreadable},
       "has a record that cannot be read",
       "have records that cannot be read",
       "restart the container (\"ponsctl check\" shows which)"},
      {Severity::Warning,
       {Health::Gone, Health::AddInterrupted, Health::DelInterrupted},
       "belongs to a stopped container or an interrupted ADD/DEL",
       "belong to stopped containers or interrupted ADD/DEL calls",
       kGcRemedy},
  };
  return all;
}

void checkHealth(CheckResults& results, const std::vector<AttachmentStatus>& statuses) {
  for (const RecordFault& fault : recordFaults()) {
    const auto number =
        static_cast<std::size_t>(std::ranges::count_if(statuses, [&fault](const AttachmentStatus& status) {
          return std::ranges::find(fault.healths, status.health) != fault.healths.end();
        }));
    if (number == 0) continue;
    const std::string what = number == 1 ? fault.what : fault.whatOfMany;
    results.push_back({fault.severity, kArea, counted(number, "attachment") + " " + what, fault.remedy});
  }
}

/// Without attachments, which checkHealth() reports.
void checkOrphans(CheckResults& results, Host& host, const Arguments& arguments) {
  const auto found = collectOrphans(host, arguments);
  if (!found) return results.push_back({Severity::Fault, kArea, found.error().message});
  const auto others = static_cast<std::size_t>(
      std::ranges::count_if(found->all, [](const OrphanResult& one) { return one.orphan.kind != "attachment"; }));
  if (others == 0) return;
  results.push_back({Severity::Warning, kArea, counted(others, "leftover") + " without a record", kGcRemedy});
}

/// Links and tables still name the state directory if it was deleted.
void checkLostLedger(CheckResults& results, const Arguments& arguments) {
  const auto found = findStateDirectory(arguments);
  if (!found || *found != StateDirectory::Lost) return;
  results.push_back({Severity::Warning, kArea,
                     "there is no state directory " + arguments.stateDir + ", but links or tables of pons that name it",
                     "\"ponsctl gc\" lists all leftovers, and starts a new ledger"});
}

void checkOthers(CheckResults& results, const Arguments& arguments) {
  for (const std::string& directory : otherStateDirectories(arguments)) {
    results.push_back({Severity::Note, kArea, "links or tables of another state directory are on this host",
                       "a host has one: \"stateDir\" of all networks; for that one use --state-dir " + directory});
  }
}

}  // namespace

void checkRecords(CheckResults& results, Host* host, const Arguments& arguments,
                  const std::vector<AttachmentStatus>& statuses) {
  const std::size_t before = results.size();
  checkHealth(results, statuses);
  if (host != nullptr) {
    checkOrphans(results, *host, arguments);
  } else if (!exists(arguments.stateDir)) {
    checkLostLedger(results, arguments);
  }
  const bool isKnown = host != nullptr || findStateDirectory(arguments);
  if (results.size() == before && isKnown) {
    results.push_back({Severity::Fine, kArea, counted(statuses.size(), "attachment") + " recorded, no faults"});
  }
  checkOthers(results, arguments);
}

}  // namespace pons::ctl
