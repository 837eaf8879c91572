// The environment variables of a CNI call (CNI 1.1.0, section 2 "Parameters"), and the name of the called plugin.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/cni/applet.h"
#include "plugin/cni/error.h"

namespace pons::cni {

enum class Verb : std::uint8_t { Add, Del, Check, Gc, Status, Version };

std::string_view nameOf(Verb verb);

/// The variables, unchecked; empty if not set, which CNI does not distinguish.
struct Environment {
  std::string command;           ///< CNI_COMMAND
  std::string containerId;       ///< CNI_CONTAINERID
  std::string netns;             ///< CNI_NETNS
  std::string ifName;            ///< CNI_IFNAME
  std::string args;              ///< CNI_ARGS
  std::string path;              ///< CNI_PATH
  std::string stateDir;          ///< PONS_STATE_DIR
  std::string log = {};          ///< PONS_LOG
  std::string traceParent = {};  ///< TRACEPARENT, the trace context of the runtime
  bool trace = false;            ///< PONS_TRACE=1
  Applet applet = Applet::Pons;  ///< from argv[0]

  /// getenv() in the program, a map in tests; null if the variable is not set.
  using Lookup = std::function<const char*(const char* name)>;
  static Environment read(const Lookup& lookup, std::string_view argv0 = {});
};

/// Nothing if CNI_COMMAND is not set; InvalidEnvironment if it is not a command of CNI.
Result<std::optional<Verb>> verbOf(const Environment& environment);

/// TRACEPARENT if it has the format of version 00 of W3C Trace Context; any other is ignored.
std::optional<std::string> traceParentOf(const Environment& environment);

/// The keys of CNI_ARGS that pons uses; empty if absent.
struct CniArgs {
  std::string ip;  ///< one or more addresses, separated by ','
  std::string mac;
  std::string gateway;       ///< for ipam type static: one or more addresses, separated by ','
  std::string podNamespace;  ///< K8S_POD_NAMESPACE
  std::string podName;       ///< K8S_POD_NAME
};

/// "KEY=value;KEY=value"; InvalidEnvironment for any other format. Unknown keys are ignored, even without
/// IgnoreUnknown: other plugins of the chain get the same CNI_ARGS.
Result<CniArgs> parseCniArgs(std::string_view text);

}  // namespace pons::cni
