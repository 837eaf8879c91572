// The parsed command line.
#pragma once

#include <cstdint>
#include <string>

#include "plugin/ctl/terminal.h"

namespace pons::ctl {

inline constexpr int kFailed = 1;
inline constexpr int kMisused = 2;

enum class Command : std::uint8_t { List, Show, Networks, Check, Repair, Gc, Explain, Doctor, Graph, Metrics, Version };

struct Arguments {
  Command command = Command::Version;
  Terminal terminal = {};
  bool json = false;
  std::string stateDir = {};
  std::string configDir = "/etc/cni/net.d";              ///< network configurations, as runtimes read them
  std::string subject = {};                              ///< show: a container ID or a prefix of it; explain: a file
  std::string network = {};                              ///< gc: only this one; empty for all
  std::string format = "dot";                            ///< graph: "dot" or "svg"
  bool dryRun = false;                                   ///< repair: only report what is missing
  bool deletes = false;                                  ///< gc: delete the orphans
  std::string pluginPath = "/opt/cni/bin:/usr/lib/cni";  ///< CNI_PATH: directories of plugins, separated by ':'
};

}  // namespace pons::ctl
