#include "plugin/verbs/state_directory.h"

#include "netlib/os/kernel_modules.h"

#include "plugin/engine/sweep.h"
#include "plugin/model/link_alias.h"

namespace pons {

netlib::Result<std::set<std::string>> stateDirectoriesInUse() {
  auto route = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Route));
  // A host whose kernel has not loaded nf_tables has no tables; to ask for them would load it.
  std::optional<netlib::Socket> netfilter;
  if (netlib::KernelModules{}.stateOf("nf_tables") != netlib::ModuleState::Loadable) {
    netfilter = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Netfilter));
  }
  std::set<std::string> directories;
  for (const std::string& ledger : TRY(ledgersOn(route, netfilter ? &*netfilter : nullptr))) {
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
