// Reads facts from the kernel, by "ip" and "nft" with few processes.
#pragma once

#include "tests/property/model.h"

namespace property {

/// Of the network namespace of this thread. Ports are named after their container, by their alias.
class KernelReader {
 public:
  Facts read();

 private:
  std::map<std::string, std::string> containers_;  // by port: a dead one's elements of nf_tables outlive its port
};

}  // namespace property
