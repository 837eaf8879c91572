// Several containers of one form on a host with an uplink.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "tests/many/container.h"

namespace support {

class ContainerGroup {
 public:
  ContainerGroup(const Form& form, Settings settings, unsigned size);

  /// Of that number, from 1.
  Container& container(unsigned number);

  /// Each attached container passes CHECK, is reached by its ports and reaches the outside; the ports of the others do
  /// not answer.
  void checkAll();
  /// The host is as it was before the first container came.
  void checkNothingLeft();

 private:
  std::string state() const;

  FakeHost host_;
  std::string outside_ = host_.addOutside();
  bool allIsOurs_;  ///< else the main plugin is another's, and what it leaves on the host is no concern of pons
  std::list<Container> containers_;
  std::list<Server> servers_;
  std::string before_;
};

}  // namespace support
