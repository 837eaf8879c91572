// What a runtime says through environment variables (CNI 1.1.0, section 2 "Parameters"), and by the name that it calls.
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

/// The variables as they are; empty where they are not set, between which CNI makes no difference.
struct Environment {
  std::string command;           ///< CNI_COMMAND
  std::string containerId;       ///< CNI_CONTAINERID
  std::string netns;             ///< CNI_NETNS
  std::string ifName;            ///< CNI_IFNAME
  std::string args;              ///< CNI_ARGS
  std::string path;              ///< CNI_PATH
  std::string stateDir;          ///< PONS_STATE_DIR
  std::string log = {};          ///< PONS_LOG
  std::string traceParent = {};  ///< TRACEPARENT, by which a runtime's trace is followed
  bool trace = false;            ///< PONS_TRACE=1
  Applet applet = Applet::Pons;  ///< the name by which the runtime calls us, which is argv[0]

  /// getenv() in the program, a map in tests; null where the variable is not set.
  using Lookup = std::function<const char*(const char* name)>;
  static Environment read(const Lookup& lookup, std::string_view argv0 = {});
};

/// Nothing where no command is given; InvalidEnvironment where it is none of CNI's.
Result<std::optional<Verb>> verbOf(const Environment& environment);

/// TRACEPARENT in the form of version 00 of W3C's Trace Context; nothing where it has another, which that document says
/// is to be treated as if it was not there.
std::optional<std::string> traceParentOf(const Environment& environment);

/// The keys of CNI_ARGS that pons understands; empty where they are absent.
struct CniArgs {
  std::string ip;  ///< one address or several, joined by ','
  std::string mac;
  std::string gateway;  ///< of ipam type static: one address or several, joined by ','
};

/// "KEY=value;KEY=value". Keys that pons does not know are for others and no error, whatever IgnoreUnknown says.
Result<CniArgs> parseCniArgs(std::string_view text);

}  // namespace pons::cni
