// The alias (IFLA_IFALIAS) of every link that pons creates. It names the ledger, by its state directory, and what the
// link is for:
//
//   pons <state directory> bridge
//   pons <state directory> <network> <container> <ifname>[ <chained plugin>]       veth and ifb
//
// Links of an earlier pons have no state directory there: "pons bridge", "pons demo c1 eth0".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/model/names.h"

namespace pons {

/// The state directory that is used unless another one is configured. What an earlier pons left without a record is
/// taken for that ledger's.
inline constexpr const char* kDefaultStateDir = "/run/pons";

struct LinkAlias {
  std::string ledger;                ///< ledgerWord() of its state directory; empty in an alias without one
  std::optional<AttachmentKey> key;  ///< nothing for a bridge, and where the alias was cut within a name

  friend bool operator==(const LinkAlias&, const LinkAlias&) = default;
};

/// At most 254 bytes: the kernel accepts no longer one. Cut at the end where it would be.
std::string bridgeAlias(const std::string& stateDir);
std::string attachmentAlias(const std::string& stateDir, const AttachmentKey& key);

/// Nothing for a link that pons has not created.
std::optional<LinkAlias> parseAlias(std::string_view alias);

/// A state directory as one printable word: percent-encoded; of a long one the beginning and a hash.
std::string ledgerWord(const std::string& stateDir);
/// The inverse; nothing where the word has a hash.
std::optional<std::string> stateDirOf(std::string_view ledgerWord);

}  // namespace pons
