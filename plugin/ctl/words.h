// How single things are written for people.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plugin/model/attachment.h"

namespace pons::tools {

/// In one unit, rounded down: "90s", "5m", "7h", "3d".
std::string textOf(std::chrono::seconds age);

/// "8080->80/tcp", or "192.0.2.1:8080->80/tcp" where it is not published at every address.
std::string textOf(const PortForward& forward);

/// Each once: a port that both families publish is one to people.
std::vector<std::string> portsOf(const std::vector<PortForward>& forwards);

/// In binary units: "512 B", "1.5 KiB".
std::string textOfBytes(std::uint64_t bytes);

/// Of addresses: "253"; from a million millions on "2^64", the nearest power below or above.
std::string textOfCount(netlib::Uint128 number);

/// "1 attachment", "2 attachments"
std::string counted(std::size_t number, const std::string& noun);

std::string joined(const std::vector<std::string>& texts, std::string_view separator = ", ");

}  // namespace pons::tools
