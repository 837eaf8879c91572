// Who looks at the host all the time during the storm: no address and no port may ever have two owners.
#pragma once

#include <list>

#include "plugin/context/context.h"

namespace storm {

class Observer {
 public:
  /// The containers' namespaces must be there.
  Observer();

  /// Looks once and notes what is wrong. Holds the host lock meanwhile: whoever claims or releases has to wait, so that
  /// the ledger and what may be in the kernel stand still.
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
