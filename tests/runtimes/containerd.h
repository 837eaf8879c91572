// containerd as kubelet and as its own command see it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/runtimes/machine.h"

namespace support {

/// Started with the machine's network configuration, and ended with the machine.
class Containerd {
 public:
  explicit Containerd(const Machine& machine);

  /// A pod whose sandbox is the image, which answers with the pod's name. A port is published as
  /// "<host port>:<container port>/<host address, or nothing for all>", with "/udp" behind it where it is not TCP.
  struct Pod {
    std::string id;
    std::vector<std::string> addresses;
    Place place;
  };
  Pod runPod(const std::string& name, const std::vector<std::string>& publishedPorts = {}) const;
  /// Several at once, each with its ports.
  std::vector<Pod> runPods(const std::vector<std::pair<std::string, std::vector<std::string>>>& pods) const;
  void stop(const std::vector<Pod>& pods) const;
  void remove(const std::vector<Pod>& pods) const;

  /// In the namespace of containerd's own command.
  std::string ctr(const std::vector<std::string>& words) const;
  /// The number of a container's process; empty while it does not run.
  std::string pidOf(const std::string& containerdNamespace, const std::string& container) const;

 private:
  std::string cri(std::vector<std::string> question, const std::vector<std::string>& details = {}) const;

  const Machine& machine_;
};

}  // namespace support
