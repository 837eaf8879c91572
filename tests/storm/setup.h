// The setup of the storm: three networks on one host, and containers that are attached and detached at random.
#pragma once

#include <array>
#include <string>

namespace storm {

inline constexpr int kContainers = 64;
inline constexpr int kClients = 16;

/// Files to which clients and observer append their operations and the violations that they found.
inline constexpr const char* kOperations = "/run/storm-operations";
inline constexpr const char* kViolations = "/run/storm-violations";

void note(const char* file, const std::string& line);

inline std::string containerName(int number) { return "s" + std::to_string(number); }
inline std::string netnsOf(int number) { return "/run/netns/" + containerName(number); }

struct Network {
  const char* name;
  const char* ipam;
};

/// Too small for their share of the containers, but for the last.
inline constexpr std::array<Network, 3> kNetworks{
    {{"alpha", R"({"ranges": [[{"subnet": "10.50.0.0/28"}], [{"subnet": "fd50::/64"}]]})"},
     {"beta", R"({"subnet": "10.51.0.0/28"})"},
     {"gamma", R"({"subnet": "10.52.0.0/24"})"}}};

inline const Network& networkOf(int container) {
  return kNetworks.at(static_cast<std::size_t>(container) % kNetworks.size());
}

/// With these members more.
std::string configOf(const Network& network, const std::string& more = {});

}  // namespace storm
