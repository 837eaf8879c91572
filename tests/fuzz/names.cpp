// The ledger's names: of records, of claims and of escaped bytes. What is made of a key leads back to it.
#include <algorithm>
#include <climits>

#include "netlib/base/escape.h"
#include "netlib/base/text.h"

#include "plugin/ledger/claims.h"

#include "tests/fuzz/targets.h"

namespace {

using pons::AttachmentKey;

/// No name leaves the state directory, and each component of it is one for a file.
bool isSafe(std::string_view name) {
  const auto isFileName = [](std::string_view part) {
    return !part.empty() && part != "." && part != ".." && part.size() <= NAME_MAX &&
           part.find('\0') == std::string_view::npos;
  };
  return std::ranges::all_of(netlib::split(name, '/'), isFileName);
}

void checkKey(const AttachmentKey& key) {
  HOLDS(pons::keyOfRecord(pons::recordName(key)) == key);
  HOLDS(std::ranges::count(pons::recordName(key), '/') == 3);
  HOLDS(isSafe(pons::stagedName(key)) && std::ranges::count(pons::stagedName(key), '/') == 1);
  HOLDS(pons::aliasOf(key).size() < 256);
}

void checkEscape(std::string_view text) {
  const std::string escaped = netlib::escaped(text);
  HOLDS(netlib::unescaped(escaped) == text);
  HOLDS(std::ranges::all_of(escaped, [](char c) { return c > ' ' && c < 0x7f; }));
  if (const auto bytes = netlib::unescaped(text)) HOLDS(netlib::unescaped(netlib::escaped(*bytes)) == *bytes);
}

void checkHold(std::string_view text) {
  const std::string hold = pons::shared_state::resolvConf(std::string{text});
  HOLDS(pons::shared_state::rootOf(hold) == text);
  HOLDS(hold.find('/') == std::string::npos && hold.find('\0') == std::string::npos);
}

}  // namespace

void fuzz::names(std::string_view input) {
  if (const auto key = pons::keyOfRecord(input)) {
    HOLDS(pons::recordName(*key) == input);
    HOLDS(isSafe(input));
    checkKey(*key);
  }
  // "network container ifname", as a link's alias has it.
  if (const auto key = AttachmentKey::parse(input)) {
    HOLDS(key->toString() == input);
    checkKey(*key);
  }
  checkEscape(input);
  checkHold(input);
}
