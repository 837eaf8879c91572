#include "tests/runtimes/containerd.h"

#include <filesystem>
#include <fstream>
#include <iterator>
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
sandbox_image = "localhost/web:latest"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
conf_dir = "/etc/cni/net.d"
)";

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream{text};
  return {std::istream_iterator<std::string>{stream}, {}};
}

std::vector<std::string> idsOf(const std::vector<Containerd::Pod>& pods) {
  std::vector<std::string> ids;
  for (const Containerd::Pod& pod : pods) ids.push_back(pod.id);
  return ids;
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
  return runPods({{name, publishedPorts}}).front();
}

std::vector<Containerd::Pod> Containerd::runPods(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& pods) const {
  std::vector<std::string> question{"run"};
  for (const auto& [name, ports] : pods) {
    question.push_back(name);
    for (const std::string& port : ports) question.back() += "," + port;
  }
  std::vector<Pod> started;
  std::istringstream lines{cri(question)};
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> answer = words(line);
    REQUIRE(!answer.empty());
    const std::string& id = answer.front();
    started.push_back({id, {answer.begin() + 1, answer.end()}, machine_.placeOf(pidOf(kKubernetes, id))});
  }
  REQUIRE(started.size() == pods.size());
  return started;
}

void Containerd::stop(const std::vector<Pod>& pods) const { cri({"stop"}, idsOf(pods)); }

void Containerd::remove(const std::vector<Pod>& pods) const { cri({"remove"}, idsOf(pods)); }

std::string Containerd::ctr(const std::vector<std::string>& words) const {
  std::vector<std::string> command{"ctr"};
  command.insert(command.end(), words.begin(), words.end());
  return machine_.outputOf(command);
}

std::string Containerd::pidOf(const std::string& containerdNamespace, const std::string& container) const {
  std::istringstream tasks{machine_.outputOf({"ctr", "--namespace", containerdNamespace, "tasks", "list"})};
  for (std::string id, pid, status; tasks >> id >> pid >> status;) {
    if (id == container && status == "RUNNING") return pid;
  }
  return {};
}

std::string Containerd::cri(std::vector<std::string> question, const std::vector<std::string>& details) const {
  question.insert(question.begin(),
                  {"/usr/bin/python3", std::string{PONS_SOURCE_DIR} + "/tests/runtimes/cri.py", kSocket});
  question.insert(question.end(), details.begin(), details.end());
  return machine_.outputOf(question);
}

}  // namespace support
