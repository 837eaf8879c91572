// A record of the ledger: whatever is read from one is written, and then read again as the same.
#include "plugin/ledger/record.h"

#include "plugin/model/shared_state.h"

#include "tests/fuzz/targets.h"

namespace {

bool isFileName(const std::string& name) {
  using namespace std::string_view_literals;
  return !name.empty() && name != "." && name != ".." && name.find_first_of("/\0"sv) == std::string::npos;
}

}  // namespace

void fuzz::record(std::string_view input) {
  const auto record = pons::decodeRecord(input);
  if (!record) {
    HOLDS(record.failedWith(netlib::Cause::Damaged) || record.failedWith(netlib::Cause::Unsupported));
    return;
  }
  const std::string text = pons::encodeRecord(record->attachment, record->state);
  const auto again = pons::decodeRecord(text);
  HOLDS(again.ok());
  HOLDS(again->attachment == record->attachment);
  HOLDS(again->state == record->state);
  HOLDS(text.ends_with(pons::recordTail(record->state)));
  // "name" or "name/value", both safe as the name of a file.
  for (const std::string& state : pons::sharedStatesOf(record->attachment)) {
    const std::size_t slash = state.find('/');
    HOLDS(isFileName(state.substr(0, slash)));
    HOLDS(slash == std::string::npos || isFileName(state.substr(slash + 1)));
  }
}
