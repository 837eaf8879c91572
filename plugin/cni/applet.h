// The plugin name under which the executable is called: one binary, several names (argv[0]).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/cni/version.h"
#include "plugin/model/names.h"

namespace pons::cni {

/// Pons is the native plugin, which does the work of a whole chain. The others replace the reference plugins
/// (containernetworking/plugins) of the same name, with their keys, defaults and results.
enum class Applet : std::uint8_t { Pons, Bridge, HostLocal, Static, Loopback, Portmap, Firewall, Bandwidth, Tuning };

/// From the last component of argv[0]; Pons for any other name.
Applet appletOf(std::string_view argv0);

std::string_view nameOf(Applet applet);

/// The oldest supported version of the CNI specification; all newer ones are supported as well.
Version oldestVersionOf(Applet applet);

/// The plugin part of the keys of its records.
ChainedPlugin chainedPluginOf(Applet applet);

/// The release of pons.
std::string_view release();

/// The text printed when CNI_COMMAND is not set. nerdctl parses the version in the first line; for a reference plugin
/// it is the release with whose behaviour the applet is compatible.
std::string aboutText(Applet applet);

}  // namespace pons::cni
