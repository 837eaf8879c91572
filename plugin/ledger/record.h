// The record file of an attachment: one JSON object, documented in pons(8). Its last member is the state, in a tail of
// constant length, so that a change of state is one small write in place.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "netlib/base/result.h"

#include "plugin/json/json.h"
#include "plugin/model/attachment.h"

namespace pons {

/// Claimed: ADD is in progress or was interrupted. Committed: ADD has finished. Deleting ("leaving" in the file): DEL
/// is in progress or was interrupted.
enum class RecordState : std::uint8_t { Claimed, Committed, Deleting };

constexpr std::string_view nameOf(RecordState state) {
  constexpr std::array<std::string_view, 3> kNames{"claimed", "committed", "leaving"};
  return kNames.at(static_cast<std::size_t>(state));
}

/// Incremented for changes that an older pons would misinterpret. New optional members do not change it.
inline constexpr std::int64_t kRecordFormat = 1;

/// Larger records are neither written nor read.
inline constexpr std::size_t kMaxRecordBytes = 16U << 20U;

struct RecordText {
  Attachment attachment;
  RecordState state;
};

/// The members of the attachment alone, into the object that was begun last: for ponsctl show.
void writeFields(json::Writer& writer, const Attachment& attachment);

/// Has the same length for every state.
std::string encodeRecord(const Attachment& attachment, RecordState state);

/// The end of every record in that state, of constant length.
std::string recordTail(RecordState state);

/// Damaged, with the member, for invalid records; Unsupported for a newer format.
netlib::Result<RecordText> decodeRecord(std::string_view text);

}  // namespace pons
