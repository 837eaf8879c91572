// What pons has on record, and how it fares.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plugin/ctl/arguments.h"
#include "plugin/engine/inspection.h"

namespace pons::tools {

enum class Health : std::uint8_t {
  Ok,
  Broken,      ///< its faults say what is missing
  Gone,        ///< its container is no more
  Adding,      ///< a verb is at work on it
  Leaving,     ///< likewise
  Busy,        ///< likewise, and has not said yet what it does
  HalfMade,    ///< its ADD died
  HalfGone,    ///< its DEL died
  Unreadable,  ///< its record is damaged, or of a newer pons
};

/// "ok", "broken", …
std::string_view nameOf(Health health);
/// Neither well nor at work.
bool isBad(Health health);
Colour colourOf(Health health);

struct Item {
  AttachmentKey key;
  Health health;
  std::optional<Attachment> attachment = std::nullopt;     ///< nothing where the record cannot be read
  std::optional<std::chrono::seconds> age = std::nullopt;  ///< since its state last changed
  std::vector<Fault> faults = {};                          ///< or the one reason of its health
};

/// These attachments, without those that went meanwhile. Committed ones are looked at as CHECK does, each under the
/// lock of its record.
std::vector<Item> takeStock(Host& host, const std::vector<AttachmentKey>& keys);
/// Every attachment on record, by network, container and interface.
netlib::Result<std::vector<Item>> takeStock(Host& host);
/// The same, with the host that the arguments name; nothing where there is no ledger.
netlib::Result<std::vector<Item>> takeStock(const Arguments& arguments);

}  // namespace pons::tools
