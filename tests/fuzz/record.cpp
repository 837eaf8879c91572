// A record of the ledger: whatever is read from one is written, and then read again as the same.
#include "plugin/ledger/record.h"
#include "plugin/model/shared_state.h"

#include "tests/fuzz/targets.h"

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
  // What a plan is made from has names that are safe as files.
  for (const std::string& hold : pons::sharedStatesOf(record->attachment)) {
    HOLDS(hold.find('/') == std::string::npos && hold.find('\0') == std::string::npos);
  }
}
