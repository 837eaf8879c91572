// Values as text for terminals.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plugin/model/attachment.h"

namespace pons::ctl {

/// In one unit, rounded down: "90s", "5m", "7h", "3d".
std::string textOf(std::chrono::seconds age);

/// "10.42.0.7:80", "[fd42::7]:80"
std::string textOf(const netlib::IpAddress& address, Port port);

/// "8080->80/tcp", or "192.0.2.1:8080->80/tcp" if published at one address only.
std::string textOf(const PortForward& forward);

/// textOf() of each, without duplicates: a port published for IPv4 and IPv6 is listed once.
std::vector<std::string> portsOf(const std::vector<PortForward>& forwards);

/// Each address, prefix or name as text.
template <class T>
std::vector<std::string> textsOf(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(value.toString());
  return texts;
}

/// In binary units: "512 B", "1.5 KiB".
std::string textOfBytes(std::uint64_t bytes);

/// A number of addresses: "253"; from 10^12 on the nearest power of two, "2^64".
std::string textOfCount(netlib::Uint128 number);

/// "1 attachment", "2 attachments"
std::string counted(std::size_t number, const std::string& noun);

/// "1 of 2 attachments has faults", "2 attachments have faults"
std::string withFaults(std::size_t bad, std::size_t all);

/// Unless it is there already.
void addNew(std::vector<std::string>& to, std::string text);

/// "unknown command "lst": did you mean "list"?", with a suggestion for what was probably mistyped.
std::string unknownWord(const std::string& what, const std::string& word, const std::vector<std::string>& known);

std::string joined(const std::vector<std::string>& texts, std::string_view separator = ", ");

}  // namespace pons::ctl
