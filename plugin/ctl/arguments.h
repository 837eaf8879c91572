// The parsed command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "plugin/ctl/terminal.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

inline constexpr int kFailed = 1;
inline constexpr int kMisused = 2;

struct Arguments;
/// A command of ponsctl. An error is printed, with exit code 1.
using Run = netlib::Result<Answer> (*)(const Arguments&);

/// Of install-node. CIDRs are separated by ','.
struct NodeArguments {
  std::string name = {};
  std::string api = "/run/api/socket";  ///< see podCidrsOf()
  std::string podCidrs = {};            ///< this node's own; empty: those that the API has
  std::string clusterCidrs = {};        ///< of all pods
  std::string pluginDir = "/opt/cni/bin";
  std::chrono::seconds patience{120};  ///< for the API, and for pod CIDRs
};

struct Arguments {
  Run run = nullptr;
  std::string command = {};  ///< its name
  Terminal terminal = {};
  bool json = false;
  std::string stateDir = {};
  std::string configDir = "/etc/cni/net.d";  ///< network configurations, as runtimes read them
  std::string subject = {};                  ///< for attachmentsNamed(); explain: a file, network or key
  std::string network = {};                  ///< list, gc, policy: only this one; empty for all
  std::string ifName = {};                   ///< policy: only this interface; empty for all
  std::string policyFile = {};               ///< policy: the new one, "-" for stdin; empty: print the present one
  bool networks = false;                     ///< list: networks instead of attachments
  bool onlyBroken = false;                   ///< list: only attachments with faults
  std::string sort = "health";               ///< list: one of listColumns()
  std::string format = "dot";                ///< graph: "dot" or "svg"
  bool repairs = false;                      ///< check: restore what is missing
  bool dryRun = false;                       ///< repair: only list the faults
  bool deletes = false;                      ///< gc: delete the orphans
  std::chrono::milliseconds timeout{1000};   ///< probe: of each packet's answer
  std::string pluginPath = "/opt/cni/bin:/usr/lib/cni";  ///< CNI_PATH: directories of plugins, separated by ':'
  std::chrono::seconds interval{60};                     ///< watch: the longest time between two passes
  std::string metricsFile = {};                          ///< watch: written after each pass; empty for none
  bool verbose = false;                                  ///< watch: print a line for each pass
  NodeArguments node = {};
};

}  // namespace pons::ctl
