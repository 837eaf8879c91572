// The image of scripts/kubernetes, run by containerd itself with the mounts and capabilities that pons.yaml gives it:
// a node is installed and watched over as by the DaemonSet's pod.
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/runtimes/machine.h"
#include "tests/support/eventually.h"
#include "tests/support/text.h"

using namespace support;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPython = "/usr/bin/python3";
const fs::path kSource = PONS_SOURCE_DIR;
const fs::path kPlugins = "/opt/cni/bin";
const fs::path kConflist = "/etc/cni/net.d/00-pons.conflist";
constexpr const char* kNode = R"({"spec": {"podCIDRs": ["10.244.7.0/24", "fd00:244:7::/64"]}})";
// Those of pons.yaml that do not exist are made by the kubelet.
constexpr const char* kDirectories = "/opt/cni/bin /etc/cni/net.d /run/pons /run/netns /var/lib/cni /run/empty-api";

std::vector<std::string> linesIn(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// A node of a cluster with the image in its containerd, and without pons.
class ClusterNode {
 public:
  explicit ClusterNode(const Machine& machine) : machine_(machine) {
    shell("mount --make-rshared /run && rm -rf /opt/cni/bin && mkdir -p " + std::string{kDirectories});
    const Outcome made =
        support::run({kSource / "scripts/kubernetes/image", fs::path{PONS_BINARY}.parent_path(), "/run/pons-image"},
                     {.environment = {}, .input = {}, .timeout = 5min});
    REQUIRE_MESSAGE(made.ok(), made.err);
    machine_.startDaemon("containerd", "containerd --config /dev/null");
    REQUIRE(eventually([&] { return machine_.run({"ctr", "version"}).ok(); }, 60s));
    machine_.outputOf({"ctr", "images", "import", "/run/pons-image.tar"});
    machine_.startDaemon("api", std::string{kPython} + " " + (kSource / "tests/packages/api_server.py").string() +
                                    " /run/empty-api/socket /run/requests '" + kNode + "'");
    REQUIRE(eventually([] { return fs::exists("/run/empty-api/socket"); }, 60s));
  }

  /// A container of pons.yaml under that name.
  Outcome runContainer(const std::string& container, const std::string& name,
                       const std::vector<std::string>& options) const {
    std::vector<std::string> argv{"ctr", "run"};
    append(argv, options);
    append(argv, manifest(container, "options"));
    append(argv, {image(), name});
    append(argv, manifest(container, "command"));
    return machine_.run(argv);
  }

  /// The readiness probe in the container "watch".
  Outcome probe() {
    std::vector<std::string> argv{"ctr", "tasks", "exec", "--exec-id", "probe" + std::to_string(++probes_), "watch"};
    append(argv, manifest("watch", "probe"));
    return machine_.run(argv);
  }
  bool becomesReady() {
    return eventually([this] { return probe().ok(); }, 60s);
  }

  /// Attaches a pod as containerd does, which names its namespace by /var/run.
  void attach(const std::string& pod) const {
    machine_.outputOf({"ip", "netns", "add", pod});
    RunOptions add;
    add.environment = {"CNI_COMMAND=ADD",       "CNI_CONTAINERID=" + pod,
                       "CNI_IFNAME=eth0",       "CNI_NETNS=/var/run/netns/" + pod,
                       "CNI_PATH=/opt/cni/bin", "PATH=/usr/sbin:/usr/bin"};
    add.input = shell("jq '{cniVersion, name} + .plugins[0]' " + kConflist.string());
    const Outcome added = machine_.run({kPlugins / "pons"}, add);
    REQUIRE_MESSAGE(added.ok(), added.out);
    CHECK(contains(added.out, "\"10.244.7."));
    CHECK(contains(added.out, "\"fd00:244:7:"));
  }

  std::string shell(const std::string& command) const { return machine_.outputOf({"sh", "-c", command}); }

 private:
  static std::vector<std::string> manifest(const std::string& container, const std::string& what) {
    return linesIn(support::outputOf({kPython, kSource / "tests/runtimes/pod_arguments.py",
                                      kSource / "scripts/kubernetes/pons.yaml", container, what, "NODE_NAME=node1"}));
  }
  std::string image() const {
    return shell(
        R"(jq --raw-output '.manifests[0].annotations["io.containerd.image.name"]' /run/pons-image/index.json)");
  }

  const Machine& machine_;
  int probes_ = 0;
};

void onClusterNode(const std::function<void(ClusterNode& node)>& work) {
  if (!support::run({kPython, "-c", "import yaml"}).ok()) {
    return FakeHost::countSkip("needs python3-yaml, which scripts/setup installs");
  }
  if (support::run({"ldd", PONS_BINARY}).ok()) return FakeHost::countSkip("needs static programs, see scripts/setup");
  onMachine({"containerd", "containerd-shim-runc-v2", "ctr", "runc", "jq"}, [&](const Machine& machine) {
    ClusterNode node{machine};
    work(node);
  });
}

void checkInstall(const ClusterNode& node, const std::string& name) {
  const Outcome installed = node.runContainer("install-node", name, {"--rm"});
  REQUIRE_MESSAGE(installed.ok(), installed.out << installed.err);
}

}  // namespace

TEST_CASE("containerd runs the image's install-node: the node has the programs and its network, and keeps its name") {
  onClusterNode([](ClusterNode& node) {
    checkInstall(node, "first");
    CHECK(contains(node.shell("CNI_COMMAND=VERSION /opt/cni/bin/pons </dev/null"), "\"1.1.0\""));
    CHECK(node.shell("readlink /opt/cni/bin/loopback") == "pons");
    CHECK(node.shell("jq --compact-output .plugins[0].ipam.ranges " + kConflist.string()) ==
          R"([[{"subnet":"10.244.7.0/24"}],[{"subnet":"fd00:244:7::/64"}]])");
    CHECK(node.shell("ls -A /etc/cni/net.d | grep pons") == "00-pons.conflist");

    // An upgrade over another version's programs, with a network of another name.
    node.shell("sed -i s/pods/mine/ " + kConflist.string() + "; echo old >/opt/cni/bin/pons");
    const std::string before = node.shell("stat -c %i " + kConflist.string());
    checkInstall(node, "second");
    CHECK(node.shell("jq --raw-output .name " + kConflist.string()) == "mine");
    CHECK(node.shell("stat -c %i " + kConflist.string()) == before);
    CHECK(contains(node.shell("CNI_COMMAND=VERSION /opt/cni/bin/pons </dev/null"), "\"1.1.0\""));
  });
}

TEST_CASE("containerd runs the image's watch: it is ready, restores what is removed, and removes what dead pods left") {
  for (const int pods : {1, 3}) {
    CAPTURE(pods);
    onClusterNode([pods](ClusterNode& node) {
      checkInstall(node, "install");
      const Outcome started = node.runContainer("watch", "watch", {"--detach"});
      REQUIRE_MESSAGE(started.ok(), started.out << started.err);
      CHECK(node.becomesReady());

      for (int i = 0; i < pods; ++i) node.attach("pod" + std::to_string(i));
      const Outcome ready = node.probe();
      CHECK_MESSAGE(ready.ok(), ready.out << ready.err);
      CHECK(contains(ready.out, std::to_string(pods) + " attachment"));

      for (const std::string damage : {"nft flush ruleset", "ip link del pons0", "nft flush ruleset"}) {
        CAPTURE(damage);
        node.shell(damage);
        CHECK(node.becomesReady());
        CHECK(node.shell("/opt/cni/bin/ponsctl check") ==
              std::to_string(pods) + (pods == 1 ? " attachment" : " attachments") + ", no faults");
      }

      node.shell("ip netns del pod0");
      CHECK(eventually([&] { return node.shell("find /run/pons/networks -name 'pod0*'").empty(); }, 60s));
      CHECK(node.becomesReady());
      CHECK(contains(node.probe().out, pods == 1 ? "no attachments" : std::to_string(pods - 1) + " attachments"));
      node.shell("ctr tasks kill watch");
      CHECK(eventually([&] { return contains(node.shell("ctr tasks list"), "STOPPED"); }, 60s));
    });
  }
}
