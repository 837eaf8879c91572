#include "plugin/ctl/stock.h"

#include <algorithm>
#include <array>

#include "plugin/ctl/common.h"

namespace pons::tools {

namespace {

Health healthOf(RecordState state, bool atWork) {
  if (state == RecordState::Claimed) return atWork ? Health::Adding : Health::HalfMade;
  if (state == RecordState::Deleting) return atWork ? Health::Leaving : Health::HalfGone;
  return Health::Busy;
}

void inspect(Item& item, Inspection& inspection) {
  item.faults = inspection.faultsOf(*item.attachment);
  // Without a step: its namespace.
  const bool gone = !item.faults.empty() && item.faults.front().step.empty();
  if (item.faults.empty()) {
    item.health = Health::Ok;
  } else {
    item.health = gone ? Health::Gone : Health::Broken;
  }
}

std::chrono::seconds ageOf(const RecordSnapshot& seen) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - seen.since);
}

/// Another verb holds its lock.
void watch(Item& item, const netlib::Result<std::optional<RecordSnapshot>>& seen) {
  item.health = seen && *seen ? healthOf((*seen)->state, true) : Health::Adding;  // it is being written
}

void look(Item& item, Record& record, Inspection& inspection) {
  item.health = healthOf(record.state, false);
  item.attachment = std::move(record.attachment);
  if (record.state == RecordState::Committed) {
    inspect(item, inspection);
  } else if (record.salvaged) {
    item.health = Health::Unreadable;
    item.attachment.reset();
    item.faults = {{{}, {}, "its record is damaged"}};
  } else {
    const std::string verb = record.state == RecordState::Claimed ? "ADD" : "DEL";
    item.faults = {{{}, {}, "its " + verb + " died"}};
  }
}

/// Nothing where it went meanwhile.
std::optional<Item> itemOf(Host& host, Inspection& inspection, const AttachmentKey& key) {
  Item item{.key = key, .health = Health::Unreadable};
  auto record = host.ledger.find(key, std::chrono::milliseconds{0});
  if (record && !*record) return std::nullopt;
  const auto seen = host.ledger.snapshot(key);
  if (seen && *seen) {
    item.attachment = (*seen)->attachment;
    item.age = ageOf(**seen);
  }
  if (record) {
    look(item, **record, inspection);
  } else if (record.failedWith(ETIMEDOUT)) {
    watch(item, seen);
  } else {
    item.faults = {{{}, {}, record.error().message}};
  }
  return item;
}

}  // namespace

std::string_view nameOf(Health health) {
  constexpr std::array<std::string_view, 9> kNames{"ok",   "broken",    "gone",      "adding",    "leaving",
                                                   "busy", "half-made", "half-gone", "unreadable"};
  return kNames.at(static_cast<std::size_t>(health));
}

bool isBad(Health health) {
  constexpr std::array kFine{Health::Ok, Health::Adding, Health::Leaving, Health::Busy};
  return std::ranges::find(kFine, health) == kFine.end();
}

Colour colourOf(Health health) {
  if (health == Health::Ok) return Colour::Good;
  return isBad(health) ? Colour::Bad : Colour::Busy;
}

std::vector<Item> takeStock(Host& host, const std::vector<AttachmentKey>& keys) {
  Inspection inspection{host};
  std::vector<Item> stock;
  for (const AttachmentKey& key : keys) {
    if (auto item = itemOf(host, inspection, key)) stock.push_back(std::move(*item));
  }
  return stock;
}

netlib::Result<std::vector<Item>> takeStock(Host& host) {
  std::vector<AttachmentKey> keys = TRY(host.ledger.attachments());
  std::ranges::sort(keys);
  return takeStock(host, keys);
}

netlib::Result<std::vector<Item>> takeStock(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  return host ? takeStock(*host) : std::vector<Item>{};
}

}  // namespace pons::tools
