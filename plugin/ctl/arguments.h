// What a person asked for, read from the command line.
#pragma once

#include <cstdint>
#include <string>

#include "plugin/ctl/screen.h"

namespace pons::tools {

inline constexpr int kFailed = 1;
inline constexpr int kMisused = 2;

enum class Command : std::uint8_t { List, Show, Networks, Check, Repair, Gc, Explain, Doctor, Graph, Metrics, Version };

struct Arguments {
  Command command = Command::Version;
  Screen screen = {};
  bool json = false;
  std::string stateDir = {};
  std::string configDir = "/etc/cni/net.d";              ///< where runtimes look for configurations
  std::string subject = {};                              ///< show: a container's id, or how it begins; explain: a file
  std::string network = {};                              ///< gc: this one only; empty for all
  std::string format = "dot";                            ///< graph: or "svg"
  bool dryRun = false;                                   ///< repair: only say what is missing
  bool deletes = false;                                  ///< gc: take away what was found
  std::string pluginPath = "/opt/cni/bin:/usr/lib/cni";  ///< directories of IPAM plugins, joined by ':'
};

}  // namespace pons::tools
