#include "plugin/ctl/status.h"

#include <algorithm>
#include <array>

#include "plugin/ctl/common.h"

namespace pons::ctl {

namespace {

constexpr std::array<std::string_view, 9> kHealths{
    "ok", "broken", "gone", "adding", "deleting", "busy", "add-interrupted", "del-interrupted", "unreadable"};

Health healthOf(RecordState state, bool isRunning) {
  if (state == RecordState::Claimed) return isRunning ? Health::Adding : Health::AddInterrupted;
  if (state == RecordState::Deleting) return isRunning ? Health::Deleting : Health::DelInterrupted;
  return Health::Busy;
}

void inspect(AttachmentStatus& status, Inspection& inspection) {
  status.faults = inspection.faultsOf(*status.attachment);
  const bool gone = !status.faults.empty() && status.faults.front().difference.remedy == Remedy::CollectGarbage;
  if (status.faults.empty()) {
    status.health = Health::Ok;
  } else {
    status.health = gone ? Health::Gone : Health::Broken;
  }
}

std::chrono::seconds ageOf(const RecordSnapshot& seen) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - seen.since);
}

/// Another process has the record locked.
void fromSnapshot(AttachmentStatus& status, const netlib::Result<std::optional<RecordSnapshot>>& seen) {
  status.health =
      seen && *seen ? healthOf((*seen)->state, true) : Health::Adding;  // without a snapshot: ADD is writing the record
}

void fromRecord(AttachmentStatus& status, Record& record, Inspection& inspection, Host& host) {
  status.health = healthOf(record.state, false);
  status.attachment = std::move(record.attachment);
  if (record.state == RecordState::Committed) {
    inspect(status, inspection);
  } else if (record.salvaged) {
    status.health = Health::Unreadable;
    status.attachment.reset();
    status.faults = {damagedRecord(host, status.key)};
  } else {
    const std::string verb = record.state == RecordState::Claimed ? "ADD" : "DEL";
    status.faults = {{{}, {}, {verb, "done", "interrupted", Remedy::CollectGarbage}}};
  }
}

/// Nothing if it was deleted meanwhile.
std::optional<AttachmentStatus> statusOf(Host& host, Inspection& inspection, const AttachmentKey& key) {
  AttachmentStatus status{.key = key, .health = Health::Unreadable};
  auto record = host.ledger.find(key, std::chrono::milliseconds{0});
  if (record && !*record) return std::nullopt;
  const auto seen = host.ledger.snapshot(key);
  if (seen && *seen) {
    status.attachment = (*seen)->attachment;
    status.age = ageOf(**seen);
  }
  if (record) {
    fromRecord(status, **record, inspection, host);
  } else if (record.failedWith(netlib::Cause::Locked)) {
    fromSnapshot(status, seen);
  } else {
    status.faults = {unreadRecord(host, key, record.error())};
  }
  return status;
}

}  // namespace

std::span<const std::string_view> healthNames() { return kHealths; }

std::string_view nameOf(Health health) { return kHealths.at(static_cast<std::size_t>(health)); }

Health healthNamed(std::string_view name) {
  const auto found = std::ranges::find(kHealths, name);
  return found == kHealths.end() ? Health::Unreadable : static_cast<Health>(found - kHealths.begin());
}

bool isBad(Health health) {
  constexpr std::array kFine{Health::Ok, Health::Adding, Health::Deleting, Health::Busy};
  return std::ranges::find(kFine, health) == kFine.end();
}

Colour colourOf(Health health) {
  if (health == Health::Ok) return Colour::Good;
  return isBad(health) ? Colour::Bad : Colour::Busy;
}

std::vector<AttachmentStatus> collectStatus(Host& host, const std::vector<AttachmentKey>& keys) {
  Inspection inspection{host};
  std::vector<AttachmentStatus> statuses;
  for (const AttachmentKey& key : keys) {
    if (auto status = statusOf(host, inspection, key)) statuses.push_back(std::move(*status));
  }
  return statuses;
}

netlib::Result<std::vector<AttachmentStatus>> collectStatus(Host& host) {
  std::vector<AttachmentKey> keys = TRY(host.ledger.attachments());
  std::ranges::sort(keys);
  return collectStatus(host, keys);
}

netlib::Result<std::vector<AttachmentStatus>> collectStatus(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  return host ? collectStatus(*host) : std::vector<AttachmentStatus>{};
}

}  // namespace pons::ctl
