// An attachment's record: the text of its file in the ledger. One JSON object for people and programs alike; its last
// member is the state, in a tail of fixed width, so that a commit is one small write in place.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "netlib/base/result.h"

#include "plugin/model/attachment.h"

namespace pons {

/// Claimed: an ADD is at work, or died at it. Committed: the ADD's result was handed to the runtime. Leaving: a DEL is
/// at work, or died at it.
enum class RecordState : std::uint8_t { Claimed, Committed, Leaving };

constexpr std::string_view nameOf(RecordState state) {
  constexpr std::array<std::string_view, 3> kNames{"claimed", "committed", "leaving"};
  return kNames.at(static_cast<std::size_t>(state));
}

/// Grows where an older pons would misunderstand a record. Members that are merely new have a default.
inline constexpr std::int64_t kRecordFormat = 1;

struct RecordText {
  Attachment attachment;
  RecordState state;
};

/// The same length for every state.
std::string encodeRecord(const Attachment& attachment, RecordState state);

/// What every record in that state ends with; the same length for every one.
std::string recordTail(RecordState state);

/// EBADMSG, with the member, for anything that encodeRecord did not write; ENOTSUP for the record of a newer pons.
netlib::Result<RecordText> decodeRecord(std::string_view text);

}  // namespace pons
