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
  if (shared.attachments.size() == 1) return rowOf(*shared.attachments.front(), shared.fault->what);
  std::set<std::string> networks;
  for (const AttachmentKey* key : shared.attachments) networks.insert(key->network.toString());
  const std::string who = networks.size() == 1 ? *networks.begin() : counted(networks.size(), "network");
  return {{who}, {counted(shared.attachments.size(), "attachment")}, {""}, {shared.fault->what}};
}

bool hasAny(const std::vector<AttachmentStatus>& statuses, std::initializer_list<Health> kinds) {
  return std::ranges::any_of(
      statuses, [&](const AttachmentStatus& status) { return std::ranges::find(kinds, status.health) != kinds.end(); });
}

std::string remediesFor(const std::vector<AttachmentStatus>& statuses) {
  std::string text;
  if (std::ranges::any_of(statuses, hasSharedFault)) { text += "Follow-up faults are hidden; --json shows all.\n"; }
  if (hasAny(statuses, {Health::Broken})) text += "\"ponsctl repair\" restores what is missing in the kernel.\n";
  if (hasAny(statuses, {Health::Gone, Health::AddInterrupted, Health::DelInterrupted})) {
    text += "\"ponsctl gc --delete\" removes what is left of stopped containers.\n";
  }
  if (hasAny(statuses, {Health::Unreadable})) {
    text += "To replace a record that cannot be read, restart its container (DEL and ADD).\n";
  }
  return text;
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
    if (hasSharedFault(status)) continue;
    for (const Fault& fault : status.faults) table.add(rowOf(status.key, fault.what));
  }
  return table.text(terminal) + "\n" + withFaults(bad, statuses.size()) + ".\n" + remediesFor(statuses);
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
  const int exitCode = countBad(*statuses) == 0 ? 0 : kFailed;
  return {exitCode, arguments.json ? checkJson(*statuses) : checkText(*statuses, arguments.terminal), {}};
}

}  // namespace pons::ctl
