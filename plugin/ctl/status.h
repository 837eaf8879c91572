// The status of recorded attachments.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "plugin/ctl/arguments.h"
#include "plugin/engine/inspection.h"

namespace pons::ctl {

enum class Health : std::uint8_t {
  Ok,
  Broken,          ///< state is missing or differs, see the faults
  Gone,            ///< the container no longer exists
  Adding,          ///< an ADD is running
  Deleting,        ///< a DEL is running
  Busy,            ///< another call has the record locked
  AddInterrupted,  ///< its ADD did not finish
  DelInterrupted,  ///< its DEL did not finish
  Unreadable,      ///< the record is damaged, or was written by a newer pons
};

/// "ok", "broken", …, in the order of Health
std::span<const std::string_view> healthNames();
std::string_view nameOf(Health health);
/// The inverse; Unreadable for other names.
Health healthNamed(std::string_view name);
/// Neither ok nor in progress.
bool isBad(Health health);
Colour colourOf(Health health);

struct AttachmentStatus {
  AttachmentKey key;
  Health health;
  std::optional<Attachment> attachment = std::nullopt;     ///< nothing if the record is unreadable
  std::optional<std::chrono::seconds> age = std::nullopt;  ///< since the last change of the record's state
  std::vector<Fault> faults = {};                          ///< or the one reason of a bad health
};

/// Of these attachments, without those that are deleted meanwhile. Committed ones are verified like CHECK does it, each
/// under the lock of its record, without waiting for one that another process has locked.
std::vector<AttachmentStatus> collectStatus(Host& host, const std::vector<AttachmentKey>& keys);
/// Of all recorded attachments, sorted by network, container and interface.
netlib::Result<std::vector<AttachmentStatus>> collectStatus(Host& host);
/// The same with openHost(); empty if there is no ledger.
netlib::Result<std::vector<AttachmentStatus>> collectStatus(const Arguments& arguments);

}  // namespace pons::ctl
