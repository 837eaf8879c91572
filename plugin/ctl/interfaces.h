// Interfaces of containers, as people see them.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/stock.h"

namespace pons::tools {

/// What one network did for one interface of a container: to people the parts of a chain are one.
struct Interface {
  const Item* first;
  std::vector<std::string> addresses;  ///< without prefix length
  std::vector<std::string> ports;      ///< see words.h
  Health health;                       ///< the first bad one of its parts
};

/// Of attachments in the order of takeStock(), which have to live longer.
std::vector<Interface> interfacesOf(const std::vector<Item>& stock);

}  // namespace pons::tools
