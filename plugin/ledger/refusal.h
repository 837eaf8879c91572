// Why an attachment cannot have what it asks of the ledger.
#pragma once

#include <optional>

#include "netlib/base/result.h"

#include "plugin/model/names.h"

namespace pons {

struct Refusal : netlib::Error {
  /// With InUse: the attachment that has what was asked for; nothing if that is an address.
  std::optional<AttachmentKey> holder;

  // Implicit, so that TRY() passes on errors of the files.
  Refusal(netlib::Error error, std::optional<AttachmentKey> who = std::nullopt)
      : netlib::Error(std::move(error)), holder(std::move(who)) {}
};

inline netlib::Failure<Refusal> inUseBy(const AttachmentKey& holder, std::string message) {
  return {Refusal{{netlib::Cause::InUse, 0, std::move(message)}, holder}};
}

}  // namespace pons
