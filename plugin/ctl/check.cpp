#include "plugin/ctl/check.h"

#include <algorithm>
#include <set>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

namespace {

/// A fault of shared state, and the attachments that refer to it.
struct SharedFault {
  const Fault* fault;
  std::vector<const AttachmentKey*> attachments;
};

std::vector<SharedFault> sharedFaultsOf(const std::vector<AttachmentStatus>& statuses) {
  std::vector<SharedFault> shared;
  for (const AttachmentStatus& status : statuses) {
    for (const Fault& fault : status.faults) {
      if (fault.sharedState.empty()) continue;
      auto known = std::ranges::find_if(shared, [&](const SharedFault& other) { return *other.fault == fault; });
      if (known == shared.end()) known = shared.insert(shared.end(), {&fault, {}});
      known->attachments.push_back(&status.key);
    }
  }
  return shared;
}

bool hasSharedFault(const AttachmentStatus& status) {
  return std::ranges::any_of(status.faults, [](const Fault& fault) { return !fault.sharedState.empty(); });
}

Row rowOf(const AttachmentKey& key, const std::string& what) {
  std::string interface = key.ifName.toString();
  if (key.plugin != ChainedPlugin::None) interface += " " + std::string{nameOf(key.plugin)};
  return {{key.network.toString()}, {key.container.toString()}, {interface}, {what}};
}

Row rowOf(const SharedFault& shared) {
  if (shared.attachments.size() == 1)
    return rowOf(*shared.attachments.front(), shared.fault->difference.textWithRemedy());
  std::set<std::string> networks;
  for (const AttachmentKey* key : shared.attachments) networks.insert(key->network.toString());
  const std::string who = networks.size() == 1 ? *networks.begin() : counted(networks.size(), "network");
  return {{who}, {counted(shared.attachments.size(), "attachment")}, {""}, {shared.fault->difference.textWithRemedy()}};
}

/// Of a broken shared state, which its repair restores as well.
bool isFollowUp(const AttachmentStatus& status, const Fault& fault) {
  return fault.sharedState.empty() && fault.difference.remedy == Remedy::Repair && hasSharedFault(status);
}

bool hasFollowUp(const AttachmentStatus& status) {
  return std::ranges::any_of(status.faults, [&status](const Fault& fault) { return isFollowUp(status, fault); });
}

std::size_t countBad(const std::vector<AttachmentStatus>& statuses) {
  return static_cast<std::size_t>(
      std::ranges::count_if(statuses, [](const AttachmentStatus& status) { return isBad(status.health); }));
}

}  // namespace

std::string checkText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal) {
  if (statuses.empty()) return "no attachments\n";
  const std::size_t bad = countBad(statuses);
  if (bad == 0) return counted(statuses.size(), "attachment") + ", no faults\n";

  using enum Column::Fit;
  Table table{{{"NETWORK"}, {"CONTAINER", Shorten}, {"INTERFACE"}, {"FAULT", Wrap}}};
  for (const SharedFault& shared : sharedFaultsOf(statuses)) table.add(rowOf(shared));
  for (const AttachmentStatus& status : statuses) {
    for (const Fault& fault : status.faults) {
      const bool isListed = !fault.sharedState.empty() || isFollowUp(status, fault);
      if (!isListed) table.add(rowOf(status.key, fault.difference.textWithRemedy()));
    }
  }
  const bool hidden = std::ranges::any_of(statuses, hasFollowUp);
  return table.text(terminal) + "\n" + withFaults(bad, statuses.size()) + ".\n" +
         (hidden ? "Follow-up faults are hidden; --json shows all.\n" : "");
}

std::string checkJson(const std::vector<AttachmentStatus>& statuses) {
  std::vector<AttachmentStatus> bad = statuses;
  std::erase_if(bad, [](const AttachmentStatus& status) { return !isBad(status.health); });
  return jsonDocument([&](json::Writer& writer) {
    writeNumber(writer, "attachments", statuses.size());
    writeObjects(writer, "broken", bad, writeStatus);
  });
}

Answer check(const Arguments& arguments) {
  const auto statuses = collectStatus(arguments);
  if (!statuses) return failure("check", statuses.error());
  if (statuses->empty() && !arguments.json) return {0, "no attachments" + absenceOf(arguments) + "\n", {}};
  const int exitCode = countBad(*statuses) == 0 ? 0 : kFailed;
  return {exitCode, arguments.json ? checkJson(*statuses) : checkText(*statuses, arguments.terminal), {}};
}

}  // namespace pons::ctl
