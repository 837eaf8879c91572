// podman with its CNI backend: networks of its own making, and one of pons alone.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtimes/configurations.h"
#include "tests/runtimes/five.h"
#include "tests/runtimes/machine.h"
#include "tests/support/examples.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kPrograms{"podman", "conmon", "crun", "busybox"};
const Endpoint kHostPort = endpoint("192.0.2.1", 8080);

constexpr const char* kEngine = R"([engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
[network]
network_backend = "cni"
cni_plugin_dirs = ["/opt/cni/bin"]
network_config_dir = "/etc/cni/net.d"
)";
constexpr const char* kStorage = R"([storage]
driver = "overlay"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
)";

class Podman {
 public:
  explicit Podman(const Machine& machine) : machine_(machine) {
    fs::create_directories("/etc/containers");
    std::ofstream{"/etc/containers/containers.conf"} << kEngine;
    std::ofstream{"/etc/containers/storage.conf"} << kStorage;
    (*this)({"load", "--input", kImageFile});
  }

  std::string operator()(const std::vector<std::string>& words) const {
    std::vector<std::string> command{"podman"};
    command.insert(command.end(), words.begin(), words.end());
    return machine_.outputOf(command);
  }

  /// A container of the image, which answers with its name.
  std::string run(const std::string& name, const std::vector<std::string>& options) const {
    std::vector<std::string> words{"run", "--detach", "--name", name, "--hostname", name};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back(kImage);
    (*this)(words);
    return pidOf(name);
  }

  std::string pidOf(const std::string& name) const { return (*this)({"inspect", "--format", "{{.State.Pid}}", name}); }
  void restart(const std::string& name) const { (*this)({"restart", "--time", "0", name}); }
  void remove(const std::string& name) const { (*this)({"rm", "--force", "--time", "0", name}); }

 private:
  const Machine& machine_;
};

/// The container answers by its own addresses and, from outside, by the host's port, and reaches the outside.
void checkServed(const Machine& machine, const std::string& name, const std::string& pid) {
  for (const std::string& address : machine.addressesOf(pid, "eth0")) {
    CAPTURE(address);
    CHECK(answerOf(kHere, endpoint(address, 80)) == name);
  }
  CHECK(answerOf(machine.outside(), kHostPort) == name);
  const Server web{machine.outside(), Transport::Tcp, endpoint("192.0.2.2", 443), "web"};
  CHECK(answerOf(machine.placeOf(pid), endpoint("192.0.2.2", 443)) == "web 192.0.2.1");
}

void checkClosed(const Machine& machine) {
  CHECK(!ask(machine.outside(), Transport::Tcp, kHostPort, {.source = {}, .timeout = std::chrono::milliseconds{200}}));
}

/// A line of shell that starts the workload in the background.
std::string commandFor(const Workload& workload, const std::string& network) {
  const std::string port = std::to_string(workload.hostPort);
  return "podman run --detach --name " + workload.name + " --hostname " + workload.name + " --network " + network +
         " --publish " + port + ":80" + (workload.hasUdp ? " --publish " + port + ":53/udp " : " ") + kImage + " & ";
}

void checkFiveIn(const std::string& network, const Machine& machine, const Podman& podman) {
  const StartAll startAll = [&](const std::vector<Workload>& workloads) {
    std::string all;
    for (const Workload& workload : workloads) all += commandFor(workload, network);
    machine.outputOf({"sh", "-c", all + "wait"});
    std::vector<Place> places;
    for (const Workload& workload : workloads) places.push_back(machine.placeOf(podman.pidOf(workload.name)));
    return places;
  };
  checkFive(machine, startAll, [&](std::size_t index) { podman.remove(fiveWorkloads().at(index).name); });
}

}  // namespace

TEST_CASE("five containers of podman, started at once, in a network of its own making and with one plugin") {
  onMachine(kPrograms, [](const Machine& machine) {
    machine.configure("one-plugin", kOnePlugin);
    const Podman podman{machine};
    checkFiveIn("one-plugin", machine, podman);
    podman({"network", "create", "--ipv6", "--subnet", "10.91.0.0/24", "--subnet", "fd00:91::/64", "one"});
    checkFiveIn("one", machine, podman);
  });
}

TEST_CASE("podman makes networks, and a container in two of them is restarted and removed") {
  onMachine(kPrograms, [](const Machine& machine) {
    const Podman podman{machine};
    const std::string before = machine.state();
    podman({"network", "create", "--ipv6", "--subnet", "10.91.0.0/24", "--subnet", "fd00:91::/64", "one"});
    podman({"network", "create", "--subnet", "10.92.0.0/24", "two"});

    std::string pid = podman.run("web", {"--network", "one,two", "--publish", "8080:80"});
    checkServed(machine, "web", pid);
    // Which of the two networks is eth0 podman leaves to chance.
    CHECK(machine.addressesOf(pid, "eth0").size() + machine.addressesOf(pid, "eth1").size() == 3);
    podman.restart("web");
    pid = podman.pidOf("web");
    checkServed(machine, "web", pid);
    podman.remove("web");
    checkClosed(machine);

    podman({"network", "rm", "one", "two"});
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("podman gives a container the address that was asked for, and neighbours reach each other") {
  onMachine(kPrograms, [](const Machine& machine) {
    const Podman podman{machine};
    const std::string before = machine.state();
    podman({"network", "create", "--subnet", "10.91.0.0/24", "one"});

    const std::string web = podman.run("web", {"--network", "one", "--ip", "10.91.0.77", "--publish", "8080:80"});
    const std::string client = podman.run("client", {"--network", "one"});
    CHECK(machine.addressesOf(web, "eth0") == std::vector<std::string>{"10.91.0.77"});
    CHECK(answerOf(machine.placeOf(client), endpoint("10.91.0.77", 80)) == "web");
    checkServed(machine, "web", web);

    for (const char* name : {"web", "client"}) podman.remove(name);
    podman({"network", "rm", "one"});
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("podman with one plugin") {
  onMachine(kPrograms, [](const Machine& machine) {
    machine.configure("one-plugin", kOnePlugin);
    const Podman podman{machine};
    const std::string before = machine.state();

    std::string pid = podman.run("web", {"--network", "one-plugin", "--publish", "8080:80"});
    CHECK(machine.addressesOf(pid, "eth0").size() == 2);
    checkServed(machine, "web", pid);
    podman.restart("web");
    checkServed(machine, "web", podman.pidOf("web"));
    podman.remove("web");
    checkClosed(machine);
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("README.md's first container under podman: its commands, and what they print") {
  onMachine(kPrograms, [](const Machine& machine) {
    const fs::path source = PONS_SOURCE_DIR;
    machine.configure("minimal", contentOf(source / "conf-examples/10-minimal.conflist"));
    const Podman podman{machine};
    const std::string before = machine.state();

    std::size_t compared = 0;
    for (const Example& example : examplesOfMarkdown(contentOf(source / "README.md"))) {
      if (example.command.starts_with("nerdctl ")) break;
      CAPTURE(example.command);
      std::string command = example.command;
      if (const auto image = command.find("docker.io/"); image != std::string::npos)
        command.replace(image, command.size(), kImage);
      const std::string shell =
          "export COLUMNS=80 PATH=$PATH:" + fs::path{PONSCTL_BINARY}.parent_path().string() + "; ";
      const std::string printed = machine.outputOf({"sh", "-c", shell + command}) + "\n";
      if (example.output.empty()) continue;
      CHECK(differenceOf(example, printed) == "");
      ++compared;
    }
    CHECK(compared > 0);
    CHECK(answerOf(machine.outside(), kHostPort) != "nothing");
    podman.remove("web");
    checkNothingLeft(machine, before);
  });
}
