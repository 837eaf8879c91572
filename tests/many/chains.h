// Lists of plugins, as they are configured for the reference plugins.
#pragma once

#include <string>
#include <vector>

#include "tests/many/form.h"

namespace support {

/// A plugin of a list: its members are the first ones for every container, or each container has its own.
struct Variants {
  std::string type;
  std::vector<std::string> members = {""};
  bool declaresPorts = false;
};

extern const Variants kBridge;
extern const Variants kPortmap;

/// Each container publishes one port, by TCP and UDP.
Form chainOf(const std::string& name, const std::vector<Variants>& list);

}  // namespace support
