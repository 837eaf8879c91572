#include "plugin/model/link_alias.h"

#include <algorithm>

#include "netlib/base/escape.h"
#include "netlib/base/hash.h"

namespace pons {

namespace {

constexpr std::string_view kPrefix = "pons ";
constexpr std::string_view kBridge = "bridge";
constexpr std::size_t kMaxAlias = 254;  // with the terminating zero less than IFALIASZ (256), see dev_set_alias()
constexpr char kHashed = '%';           // at the end of a word: escaped() puts two digits after it

std::string aliasOf(const std::string& stateDir, const std::string& what) {
  return (std::string{kPrefix} + ledgerWord(stateDir) + " " + what).substr(0, kMaxAlias);
}

}  // namespace

std::string bridgeAlias(const std::string& stateDir) { return aliasOf(stateDir, std::string{kBridge}); }

std::string attachmentAlias(const std::string& stateDir, const AttachmentKey& key) {
  return aliasOf(stateDir, key.toString());
}

std::optional<LinkAlias> parseAlias(std::string_view alias) {
  if (!alias.starts_with(kPrefix)) return std::nullopt;
  alias.remove_prefix(kPrefix.size());
  LinkAlias parsed;
  if (alias.starts_with('/')) {  // no name begins with it
    const std::size_t end = std::min(alias.find(' '), alias.size());
    parsed.ledger = alias.substr(0, end);
    alias.remove_prefix(std::min(end + 1, alias.size()));
  }
  if (alias != kBridge) parsed.key = AttachmentKey::parse(alias);
  return parsed;
}

std::string ledgerWord(const std::string& stateDir) {
  constexpr std::size_t kLongest = 100;
  constexpr int kDigits = 16;
  std::string word = netlib::escaped(stateDir);
  if (word.size() <= kLongest) return word;
  return word.substr(0, kLongest - kDigits - 1) + netlib::hexDigits(netlib::hashOf(stateDir), kDigits) + kHashed;
}

std::optional<std::string> stateDirOf(std::string_view ledgerWord) { return netlib::unescaped(ledgerWord); }

}  // namespace pons
