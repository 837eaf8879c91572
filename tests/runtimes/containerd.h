// containerd as kubelet and as its own command see it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/runtimes/machine.h"

namespace support {

/// What pons has logged of the calls of containerd, all of them.
inline constexpr const char* kCallLog = "/run/calls.log";

/// One of the versions that Debian has.
struct Release {
  std::string name;
  std::string directory;  ///< of its programs; empty for those of the host
};

/// A release of containerd with a network: its own chain of plugins, under the names of the reference plugins, or pons
/// alone.
struct Combination {
  Release release;
  std::string network;
  std::string conflist;
  bool isChain;

  /// The newest release of containerd, which calls STATUS.
  bool isNewest() const { return !release.directory.empty(); }
};

/// Calls `work` on a machine for each combination, or for each of the newest release only. Without that release counts
/// a skip.
using OnCombination = std::function<void(Machine& machine, const Combination& combination)>;
enum class Releases : std::uint8_t { All, Newest };
inline Releases allIfLong() { return isLongRun() ? Releases::All : Releases::Newest; }
void onEachCombination(Releases releases, const OnCombination& work);

/// Started with the machine's network configuration, and ended with the machine.
class Containerd {
 public:
  explicit Containerd(const Machine& machine);
  /// As after a crash, or as "systemctl restart" does it. Pods go on without it.
  void kill() const { end("KILL"); }
  void start() const;
  void restart() const;

  /// A pod whose sandbox is the image, which answers with the pod's name. A port is published as
  /// "<host port>:<container port>/<host address, or nothing for all>", with "/udp" behind it where it is not TCP.
  struct Pod {
    std::string id;
    std::vector<std::string> addresses;
    Place place;
  };
  Pod runPod(const std::string& name, const std::vector<std::string>& publishedPorts = {}) const;
  /// The same without waiting for it, and whatever comes of it.
  void beginPod(const std::string& name, const std::vector<std::string>& publishedPorts) const;
  /// What is said where it fails.
  std::string refusalOf(const std::string& name, const std::vector<std::string>& publishedPorts) const;
  /// Several at once, each with its ports. Rates are given like ports: "ingress=8M", "egress=8M".
  std::vector<Pod> runPods(const std::vector<std::pair<std::string, std::vector<std::string>>>& pods) const;
  void stop(const std::vector<Pod>& pods) const;
  void remove(const std::vector<Pod>& pods) const;
  /// What kubelet does with pods that it does not want: stops and removes all that containerd lists.
  void clear() const;
  /// Lines of "<type> <true or false> <reason> <message>".
  std::string conditions() const { return cri({"conditions"}); }

  /// In the namespace of containerd's own command.
  std::string ctr(const std::vector<std::string>& words) const;
  /// The number of a container's process; empty while it does not run.
  std::string pidOf(const std::string& containerdNamespace, const std::string& container) const;

 private:
  static std::vector<std::string> criCommand(const std::vector<std::string>& question);
  std::string cri(const std::vector<std::string>& question) const;
  void end(const std::string& signal) const;

  const Machine& machine_;
};

}  // namespace support
