// The ledger, compared with the kernel.
#include <algorithm>

#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/orphans.h"

namespace pons::ctl {

namespace {

constexpr const char* kReservation = "reservation of ";  // see Ledger::missingClaims()
constexpr const char* kGcRemedy = "\"ponsctl gc\" lists them, \"ponsctl gc --delete\" removes them";

struct RecordFault {
  FindingId id;
  Severity severity;
  std::vector<Health> healths;
  const char* what;  ///< of one attachment
  const char* whatOfMany;
  const char* remedy;
};

const std::vector<RecordFault>& recordFaults() {
  static const std::vector<RecordFault> all{
      {FindingId::AttachmentIncomplete,
       Severity::Fault,
       {Health::Broken},
       "is incomplete",
       "are incomplete",
       "\"ponsctl check\" shows each fault and its remedy"},
      {FindingId::RecordUnreadable,
       Severity::Fault,
       {Health::Unreadable},
       "has a record that cannot be read",
       "have records that cannot be read",
       "restart the container (\"ponsctl check\" shows which)"},
      {FindingId::AttachmentStale,
       Severity::Warning,
       {Health::Gone, Health::AddInterrupted, Health::DelInterrupted},
       "belongs to a stopped container or an interrupted ADD/DEL",
       "belong to stopped containers or interrupted ADD/DEL calls",
       kGcRemedy},
  };
  return all;
}

bool isLostReservation(const Fault& fault) {
  return fault.step.empty() && fault.difference.what.starts_with(kReservation);
}

/// A committed attachment with lost reservations only is not incomplete otherwise.
bool hasHealth(const AttachmentStatus& status, const RecordFault& fault) {
  if (std::ranges::find(fault.healths, status.health) == fault.healths.end()) return false;
  return status.health != Health::Broken || !std::ranges::all_of(status.faults, isLostReservation);
}

void checkHealth(Area& area, const Statuses& statuses) {
  for (const RecordFault& fault : recordFaults()) {
    const auto number = static_cast<std::size_t>(
        std::ranges::count_if(statuses, [&fault](const AttachmentStatus& status) { return hasHealth(status, fault); }));
    if (number == 0) continue;
    const std::string what = number == 1 ? fault.what : fault.whatOfMany;
    area.add(fault.id, fault.severity, counted(number, "attachment") + " " + what, fault.remedy);
  }
}

/// Of an address or a published port that a container uses.
void checkReservations(Area& area, const Statuses& statuses) {
  for (const AttachmentStatus& status : statuses) {
    if (!status.attachment) continue;
    for (const Fault& fault : status.faults) {
      if (!isLostReservation(fault)) continue;
      const Difference& difference = fault.difference;
      const bool isMissing = difference.actual == kMissing;
      area.fault(FindingId::ReservationLost,
                 "lost " + difference.what + ", which " + containerText(*status.attachment) +
                     " uses: " + (isMissing ? "the next ADD may give it to another container" : difference.actual),
                 std::string{remedyText(difference.remedy)});
    }
  }
}

/// Without attachments, which checkHealth() reports.
void checkOrphans(Area& area, Host& host, const Arguments& arguments) {
  const auto found = collectOrphans(host, arguments);
  if (!found) return area.fault(FindingId::LedgerUnreadable, found.error().message);
  const auto others =
      std::ranges::count_if(found->all, [](const OrphanResult& one) { return one.orphan.kind != "attachment"; });
  if (others == 0) return;
  area.warning(FindingId::Leftover, counted(static_cast<std::size_t>(others), "leftover") + " without a record",
               kGcRemedy);
}

}  // namespace

void checkRecords(CheckResults& results, Host* host, const Arguments& arguments, const Statuses& statuses) {
  Area area{results, "records"};
  checkHealth(area, statuses);
  checkReservations(area, statuses);
  if (host != nullptr) checkOrphans(area, *host, arguments);
  const auto directory = findStateDirectory(arguments);
  const bool isNew = directory && *directory == StateDirectory::None;
  if (statuses.empty() && (host != nullptr || isNew)) {
    area.notChecked("recorded attachments", "there are none" + absenceOf(arguments));
  }
  if (host == nullptr || area.found() > 0) return;
  area.fine(statuses.empty() ? "no leftovers without a record"
                             : counted(statuses.size(), "attachment") + " recorded, no faults and no leftovers");
}

}  // namespace pons::ctl
