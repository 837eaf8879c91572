#include "plugin/verbs/state_directory.h"

#include "plugin/engine/sweep.h"
#include "plugin/model/link_alias.h"

namespace pons {

netlib::Result<std::set<std::string>> stateDirectoriesInUse() {
  auto route = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Route));
  auto netfilter = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Netfilter));
  std::set<std::string> directories;
  for (const std::string& ledger : TRY(ledgersOn(route, netfilter))) {
    directories.insert(ledger.empty() ? kDefaultStateDir : stateDirOf(ledger).value_or(ledger));
  }
  return directories;
}

std::string nameOfStateDir(const std::string& stateDir) {
  const auto directory = netlib::Directory::openAsEmpty(stateDir);
  const std::string word = ledgerWord(directory ? directory->canonicalPath() : stateDir);
  return stateDirOf(word).value_or(word);
}

}  // namespace pons
