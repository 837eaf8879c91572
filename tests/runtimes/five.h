// Five containers under one runtime, each with a published port.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/runtimes/machine.h"

namespace support {

/// A container that publishes its port 80 by TCP and, where it has UDP, its port 53.
struct Workload {
  std::string name;
  std::uint16_t hostPort;  ///< of both
  bool hasUdp;
};

/// web1 to web5; two of them have UDP.
std::vector<Workload> fiveWorkloads();

/// Starts a container for each, which answers with its name; where their networks are.
using StartAll = std::function<std::vector<Place>(const std::vector<Workload>& workloads)>;
/// Stops the one of that index.
using Stop = std::function<void(std::size_t index)>;

/// Every port answers with the name of its container, while all are there and while one after the other is stopped, in
/// another order. Nothing is left of them.
void checkFive(const Machine& machine, const StartAll& startAll, const Stop& stop);

}  // namespace support
