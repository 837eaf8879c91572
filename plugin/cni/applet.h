// The plugin that the executable is called as: one binary under many names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/cni/version.h"
#include "plugin/model/names.h"

namespace pons::cni {

/// Pons is the native plugin, which does the work of a whole chain. The others answer for the reference plugins of
/// those names: with their keys, defaults and results.
enum class Applet : std::uint8_t { Pons, Bridge, HostLocal, Static, Loopback, Portmap, Firewall, Bandwidth, Tuning };

/// By the last component of argv[0]; a name that is no applet's is the native plugin's.
Applet appletOf(std::string_view argv0);

std::string_view nameOf(Applet applet);

/// The oldest version of the specification that the applet speaks. It speaks all newer ones.
Version oldestVersionOf(Applet applet);

/// What its records are kept as.
ChainedPlugin partOf(Applet applet);

/// Of pons itself.
std::string_view release();

/// What it says of itself when it is called without a command: nerdctl reads the first line, and asks a reference
/// plugin's applet for the release whose behaviour it has.
std::string aboutText(Applet applet);

}  // namespace pons::cni
