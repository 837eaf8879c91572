// Checks the host continuously during the storm: no address and no port may ever have two owners.
#pragma once

#include <list>

#include "plugin/context/context.h"

namespace storm {

class Observer {
 public:
  /// The containers' namespaces must be there.
  Observer();

  /// Checks once and logs violations. Takes the host lock, so that no claim or release changes the ledger meanwhile.
  void look();

 private:
  struct Container {
    std::string name;
    pons::Container inside;
  };

  pons::Host host_;
  std::list<Container> containers_;
};

}  // namespace storm
