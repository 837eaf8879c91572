#include "tests/runtimes/containerd.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/runtimes/configurations.h"

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

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

std::string podWord(const std::string& name, const std::vector<std::string>& details) {
  std::string word = name;
  for (const std::string& detail : details) word += "," + detail;
  return word;
}

std::vector<std::string> idsOf(const std::vector<Containerd::Pod>& pods) {
  std::vector<std::string> ids;
  for (const Containerd::Pod& pod : pods) ids.push_back(pod.id);
  return ids;
}

const std::vector<std::string> kPrograms{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox", "jq"};
const std::string kNewestPrograms = std::string{PONS_SOURCE_DIR} + "/build/containerd";

}  // namespace

void onEachCombination(Releases releases, const OnCombination& work) {
  std::vector<Release> wanted;
  if (releases == Releases::All) wanted.push_back({"containerd of the host", {}});
  if (fs::exists(kNewestPrograms + "/containerd")) {
    wanted.push_back({"the newest containerd", kNewestPrograms});
  } else {
    FakeHost::countSkip("needs build/containerd, which scripts/setup downloads");
  }
  for (const Release& release : wanted) {
    for (const bool isChain : {true, false}) {
      const Combination combination{release, isChain ? "containerd-net" : "one-plugin",
                                    isChain ? kContainerdChain : kOnePlugin, isChain};
      onMachine(kPrograms, [&](Machine& machine) {
        INFO(release.name << ", " << combination.network);
        if (combination.isNewest()) machine.preferPrograms(release.directory);
        machine.configure(combination.network, combination.conflist);
        work(machine, combination);
      });
    }
  }
}

Containerd::Containerd(const Machine& machine) : machine_(machine) {
  fs::create_directories("/etc/containerd");
  std::ofstream{"/etc/containerd/config.toml"} << kConfig;
  start();
  for (const char* containerdNamespace : {"default", kKubernetes}) {
    machine_.outputOf({"ctr", "--namespace", containerdNamespace, "images", "import", kImageFile});
  }
  cri({"ready", kImage});
}

void Containerd::start() const {
  machine_.startDaemon("containerd", std::string{"PONS_LOG=debug:"} + kCallLog +
                                         " exec sh -c 'echo $$ >/run/containerd.pid; exec containerd'");
  cri({"serving"});
}

void Containerd::end(const std::string& signal) const {
  machine_.outputOf({"sh", "-c",
                     "pid=$(cat /run/containerd.pid); kill -" + signal +
                         " $pid; while kill -0 $pid 2>/dev/null; do sleep 0.02; done"});
}

void Containerd::restart() const {
  end("TERM");
  start();
}

Containerd::Pod Containerd::runPod(const std::string& name, const std::vector<std::string>& publishedPorts) const {
  return runPods({{name, publishedPorts}}).front();
}

void Containerd::beginPod(const std::string& name, const std::vector<std::string>& publishedPorts) const {
  std::string command;
  for (const std::string& word : criCommand({"run", podWord(name, publishedPorts)})) command += word + " ";
  machine_.startDaemon(name, command);
}

std::string Containerd::refusalOf(const std::string& name, const std::vector<std::string>& publishedPorts) const {
  const Outcome outcome = machine_.run(criCommand({"run", podWord(name, publishedPorts)}));
  CHECK(!outcome.ok());
  return outcome.err;
}

std::vector<Containerd::Pod> Containerd::runPods(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& pods) const {
  std::vector<std::string> question{"run"};
  for (const auto& [name, details] : pods) question.push_back(podWord(name, details));
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

void Containerd::stop(const std::vector<Pod>& pods) const { cri(joined({"stop"}, idsOf(pods))); }

void Containerd::remove(const std::vector<Pod>& pods) const { cri(joined({"remove"}, idsOf(pods))); }

void Containerd::clear() const {
  const std::vector<std::string> ids = words(cri({"list"}));
  cri(joined({"stop"}, ids));
  cri(joined({"remove"}, ids));
}

std::string Containerd::ctr(const std::vector<std::string>& words) const {
  return machine_.outputOf(joined({"ctr"}, words));
}

std::string Containerd::pidOf(const std::string& containerdNamespace, const std::string& container) const {
  std::istringstream tasks{machine_.outputOf({"ctr", "--namespace", containerdNamespace, "tasks", "list"})};
  for (std::string id, pid, status; tasks >> id >> pid >> status;) {
    if (id == container && status == "RUNNING") return pid;
  }
  return {};
}

std::vector<std::string> Containerd::criCommand(const std::vector<std::string>& question) {
  return joined({"/usr/bin/python3", std::string{PONS_SOURCE_DIR} + "/tests/runtimes/cri.py", kSocket}, question);
}

std::string Containerd::cri(const std::vector<std::string>& question) const {
  return machine_.outputOf(criCommand(question));
}

}  // namespace support
