#include "tests/runtimes/containerd.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

namespace support {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSocket = "/run/containerd/containerd.sock";
constexpr const char* kKubernetes = "k8s.io";

// The second line because a process may be without the right to be killed later than its parent; the directories are
// those that containerd is built with, where Debian's differ.
constexpr const char* kConfig = R"(version = 2
[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
sandbox_image = "localhost/town:latest"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
conf_dir = "/etc/cni/net.d"
)";

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

}  // namespace

Containerd::Containerd(const Machine& machine) : machine_(machine) {
  fs::create_directories("/etc/containerd");
  std::ofstream{"/etc/containerd/config.toml"} << kConfig;
  machine_.startDaemon("containerd", "containerd");
  cri({"serving"});
  for (const char* containerdNamespace : {"default", kKubernetes}) {
    machine_.outputOf({"ctr", "--namespace", containerdNamespace, "images", "import", kImageFile});
  }
  cri({"ready", kImage});
}

Containerd::Pod Containerd::runPod(const std::string& name, const std::vector<std::string>& publishedPorts) const {
  std::vector<std::string> question{"run", name};
  question.insert(question.end(), publishedPorts.begin(), publishedPorts.end());
  const std::string id = cri(question);
  return {id, lines(cri({"addresses", id})), machine_.placeOf(pidOf(kKubernetes, id))};
}

void Containerd::stopPod(const Pod& pod) const { cri({"stop", pod.id}); }

void Containerd::removePod(const Pod& pod) const { cri({"remove", pod.id}); }

std::string Containerd::ctr(const std::vector<std::string>& words) const {
  std::vector<std::string> command{"ctr"};
  command.insert(command.end(), words.begin(), words.end());
  return machine_.outputOf(command);
}

std::string Containerd::pidOf(const std::string& containerdNamespace, const std::string& container) const {
  for (const std::string& line :
       lines(machine_.outputOf({"ctr", "--namespace", containerdNamespace, "tasks", "list"}))) {
    std::string id, pid, status;
    std::istringstream{line} >> id >> pid >> status;
    if (id == container && status == "RUNNING") return pid;
  }
  return {};
}

std::string Containerd::cri(const std::vector<std::string>& question) const {
  std::vector<std::string> command{"/usr/bin/python3", std::string{PONS_SOURCE_DIR} + "/tests/runtimes/cri.py",
                                   kSocket};
  command.insert(command.end(), question.begin(), question.end());
  return machine_.outputOf(command);
}

}  // namespace support
