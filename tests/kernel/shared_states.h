// Every state that attachments share, with the wishes of three containers, and the rule of what the kernel then has.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace support {

/// The containers that are attached, by their number; the wish of container i is wishes[i].
using Attached = std::set<std::size_t>;

struct SharedState {
  std::string name;
  std::vector<std::string> wishes;  ///< members of the configuration
  std::function<std::string(const Attached& attached)> rule;
  std::function<std::string()> observe;
  std::string before = {};  ///< shell commands
};

std::vector<SharedState> sharedStates();

/// "c1", ...
inline std::string containerOf(std::size_t number) { return "c" + std::to_string(number + 1); }
/// Members of a configuration with the subnet 10.42.0.0/24.
std::string withSubnet(const std::string& members);

/// The output of a command; empty where it fails.
std::string shown(const std::vector<std::string>& command);
std::string bridgeText(const std::string& bridge = "pons0");
/// "none" where there is no such link.
std::string mtuOf(const std::string& link);
/// Whether the sysctl is 1.
bool isOn(const std::string& sysctl);

}  // namespace support
