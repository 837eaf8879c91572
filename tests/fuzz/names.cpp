// The ledger's names: of records, of claims, of links and of escaped bytes. What is made of a key leads back to it.
#include <algorithm>
#include <climits>

#include "netlib/base/escape.h"
#include "netlib/base/text.h"

#include "plugin/ledger/claims.h"
#include "plugin/model/link_alias.h"

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
  const std::string alias = pons::attachmentAlias("/run/pons", key);
  HOLDS(alias.size() < 255);
  const auto parsed = pons::parseAlias(alias);
  HOLDS(parsed && parsed->ledger == "/run/pons" && (parsed->key == key || alias.size() == 254));
}

/// Whatever an administrator has written there.
void checkAlias(std::string_view text) {
  const auto alias = pons::parseAlias(text);
  HOLDS(alias.has_value() == text.starts_with("pons "));
  if (alias && alias->key) HOLDS(text.ends_with(alias->key->toString()));
  const std::string word = pons::ledgerWord("/" + std::string{text});
  HOLDS(word.size() <= 100 && word.starts_with('/') && word.find(' ') == std::string::npos);
  const auto path = pons::stateDirOf(word);
  HOLDS(!path || *path == "/" + std::string{text});
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
  checkAlias(input);
  checkEscape(input);
  checkHold(input);
}
