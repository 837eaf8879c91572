// scripts/kubernetes/: the manifest against the API's models, and the init container's ponsctl install-node on a
// simulated node with a simulated API, without a cluster. The image itself: image.cpp, and
// tests/runtimes/daemonset.cpp.
#include <fstream>
#include <iterator>
#include <optional>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/packages/debian.h"
#include "tests/support/eventually.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = PONS_SOURCE_DIR;
constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kBoth =
    R"({"spec": {"podCIDR": "10.244.7.0/24", "podCIDRs": ["10.244.7.0/24", "fd00:244:7::/64"]}})";
constexpr const char* kNone = R"({"spec": {}})";
const fs::path kConflist = "/etc/cni/net.d/00-pons.conflist";
const fs::path kPlugins = "/opt/cni/bin";

/// A node and, in its /root, the programs of the image.
class Node {
 public:
  explicit Node(const FakeRoot& root) : root_(root) {
    for (const char* program : {PONS_BINARY, PONSCTL_BINARY}) root.bring(program);
    for (const fs::path& directory : {kPlugins, kConflist.parent_path()}) {
      fs::remove_all(root / directory);
      fs::create_directories(root / directory);
    }
    fs::create_directories(socket().parent_path());
  }

  void startApi(const std::vector<std::string>& answers) {
    std::vector<std::string> argv{kPython, kSource / "tests/packages/api_server.py", socket(), scratch_ / "requests"};
    argv.insert(argv.end(), answers.begin(), answers.end());
    api_.emplace([argv] {
      std::vector<char*> words;
      for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      execv(words[0], words.data());
      return 127;
    });
    REQUIRE(eventually([this] { return fs::exists(socket()); }, std::chrono::seconds{20}));
  }

  /// With the capability of the manifest only.
  Outcome install(const std::vector<std::string>& options) const {
    std::vector<std::string> argv{"setpriv",       "--bounding-set", "-all,+dac_override",
                                  "/root/ponsctl", "install-node",   "--cluster-cidrs=10.244.0.0/16, fd00:244::/48"};
    argv.insert(argv.end(), options.begin(), options.end());
    return root_.run(argv);
  }
  void mustInstall(const std::vector<std::string>& options) const {
    const Outcome outcome = install(options);
    REQUIRE_MESSAGE(outcome.ok(), outcome.out << outcome.err);
  }

  /// The output of jq for the conflist.
  std::string conflist(const std::string& filter) const {
    return outputOf({"jq", "--compact-output", "--join-output", filter, root_ / kConflist});
  }
  bool isReady() const { return fs::exists(root_ / kConflist); }
  std::string requests() const { return contentOf(scratch_ / "requests"); }
  const FakeRoot& root() const { return root_; }

 private:
  fs::path socket() const { return root_ / "/run/api/socket"; }

  const FakeRoot& root_;
  Scratch scratch_;
  std::optional<ForkedProcess> api_;
};

void onNode(const std::function<void(Node& node)>& work) {
  inFakeRoot([&](const FakeRoot& root) {
    Node node{root};
    work(node);
  });
}

}  // namespace

TEST_CASE("the manifest conforms to the API's models, and its references are valid") {
  if (!run({kPython, "-c", "import kubernetes, yaml"}).ok()) {
    return FakeHost::countSkip("needs python3-kubernetes, which scripts/setup installs");
  }
  const Outcome outcome =
      run({kPython, kSource / "tests/packages/manifest.py", kSource / "scripts/kubernetes/pons.yaml"});
  CHECK_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

TEST_CASE("install-node keeps the network's name, and removes an earlier conflist of pons, but no other program's") {
  const fs::path former = kConflist.parent_path() / "10-pons.conflist";
  for (const std::string type : {"pons", "bridge"}) {
    CAPTURE(type);
    onNode([&](Node& node) {
      std::ofstream{node.root() / former} << R"({"name": "mine", "plugins": [{"type": ")" << type << "\"}]}";
      for (int i = 0; i < 2; ++i) {
        node.mustInstall({"--pod-cidrs=10.244.7.0/24"});
        CHECK(node.conflist(".name") == (type == "pons" ? "mine" : "pods"));
        CHECK(fs::exists(node.root() / former) == (type != "pons"));
      }
    });
  }
}

TEST_CASE("install-node installs the programs, and a network with the node's pod CIDRs") {
  onNode([](Node& node) {
    node.startApi({kBoth});
    node.mustInstall({"--node=node1"});
    CHECK(versionsOf(node.root(), kPlugins / "pons").find(R"("1.1.0")") != std::string::npos);
    CHECK(fs::read_symlink(node.root() / kPlugins / "loopback") == "pons");
    CHECK(fs::is_regular_file(node.root() / kPlugins / "ponsctl"));
    CHECK(node.conflist(".name") == "pods");
    CHECK(node.conflist("[.cniVersion, .cniVersions]") == R"(["1.0.0",["1.0.0","1.1.0"]])");
    CHECK(node.conflist(".plugins[0].ipam") ==
          R"({"ranges":[[{"subnet":"10.244.7.0/24"}],[{"subnet":"fd00:244:7::/64"}]]})");
    CHECK(node.conflist(".plugins[0].ipMasqExclude") == R"(["10.244.0.0/16","fd00:244::/48"])");

    // The next start writes nothing, since runtimes watch the directory.
    const auto written = fs::last_write_time(node.root() / kConflist.parent_path());
    node.mustInstall({"--node=node1"});
    CHECK(fs::last_write_time(node.root() / kConflist.parent_path()) == written);
  });
}

TEST_CASE("ADD works with the network that install-node wrote") {
  onNode([](Node& node) {
    node.mustInstall({"--pod-cidrs=10.244.7.0/24,fd00:244:7::/64"});
    outputOf({"ip", "netns", "add", "pod"});
    fs::create_directories(node.root() / "/run/netns");
    std::ofstream{node.root() / "/run/netns/pod"};
    outputOf({"mount", "--bind", "/run/netns/pod", node.root() / "/run/netns/pod"});
    RunOptions add;
    add.environment = {"CNI_COMMAND=ADD", "CNI_CONTAINERID=pod", "CNI_IFNAME=eth0", "CNI_NETNS=/run/netns/pod",
                       "CNI_PATH=/"};
    add.input = node.conflist("{cniVersion, name} + .plugins[0]");
    const std::string result = node.root().outputOf({kPlugins / "pons"}, add);
    CHECK(result.find("\"10.244.7.") != std::string::npos);
    CHECK(result.find("\"fd00:244:7:") != std::string::npos);
    CHECK(outputOf({"ip", "-n", "pod", "address", "show", "eth0"}).find("10.244.7.") != std::string::npos);
  });
}

TEST_CASE("install-node waits for the pod CIDRs; its error names the component that assigns them") {
  onNode([](Node& node) {
    node.startApi({kNone, "503", R"({"spec": {"podCIDR": "10.244.7.0/24"}})"});
    node.mustInstall({"--node=node1"});
    CHECK(node.conflist(".plugins[0].ipam.ranges") == R"([[{"subnet":"10.244.7.0/24"}]])");
    CHECK(node.requests() == "/api/v1/nodes/node1 200\n/api/v1/nodes/node1 503\n/api/v1/nodes/node1 200\n");
  });
  onNode([](Node& node) {
    node.startApi({kNone});
    const Outcome outcome = node.install({"--node=node1", "--patience=0"});
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.err.find("node node1 has no pod CIDRs: does kube-controller-manager") != std::string::npos);
    CHECK_FALSE(node.isReady());
  });
}

TEST_CASE("install-node fails with the API's reason, and writes no conflist") {
  struct Answer {
    const char* given;
    const char* node;
    const char* reason;
    int exitCode = 1;
  };
  for (const Answer& answer : {Answer{"403", "node1", "GET /api/v1/nodes/node1: HTTP/1.0 403"},
                               Answer{kBoth, "node2", "GET /api/v1/nodes/node2: HTTP/1.0 404"},
                               Answer{"[]", "node1", "object"}, Answer{kBoth, "../pods", "no name of a node", 2}}) {
    CAPTURE(answer.reason);
    onNode([&](Node& node) {
      node.startApi({answer.given});
      const Outcome outcome = node.install({"--node", answer.node, "--patience=0"});
      CHECK(outcome.exitCode == answer.exitCode);
      CHECK_MESSAGE(outcome.err.find(answer.reason) != std::string::npos, outcome.err);
      CHECK_FALSE(node.isReady());
    });
  }
  onNode([](Node& node) {
    const Outcome outcome = node.install({"--node=node1", "--patience=0"});
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.err.find("connect to /run/api/socket: No such file") != std::string::npos);
  });
}

TEST_CASE("install-node replaces both programs, also where another user owns the directory, and a killed one's draft") {
  onNode([](Node& node) {
    const fs::path plugins = node.root() / kPlugins;
    for (const char* file : {"pons", "ponsctl", ".pons.draft"}) std::ofstream{plugins / file} << "of another version";
    outputOf({"chown", "-R", "1001:127", plugins});
    node.mustInstall({"--pod-cidrs=10.244.7.0/24"});
    CHECK(contentOf(plugins / "pons") == contentOf(PONS_BINARY));
    CHECK(contentOf(plugins / "ponsctl") == contentOf(PONSCTL_BINARY));
    for (const char* file : {"pons", "ponsctl"}) {
      CHECK((fs::status(plugins / file).permissions() & fs::perms{0777}) == fs::perms{0755});
    }
    CHECK_FALSE(fs::exists(plugins / ".pons.draft"));
  });
}

TEST_CASE("install-node replaces the conflist atomically") {
  onNode([](Node& node) {
    node.mustInstall({"--pod-cidrs=10.244.1.0/24"});
    const ForkedProcess writer{[&node] {
      int number = 0;
      while (node.install({"--pod-cidrs=10.244." + std::to_string(number % 200) + ".0/24"}).ok()) ++number;
      return 1;
    }};
    std::string last;
    int changes = 0;
    int halves = 0;
    const auto seesTenChanges = [&] {
      for (int i = 0; i < 1000; ++i) {
        const std::string now = contentOf(node.root() / kConflist);
        if (!now.starts_with("{") || !now.ends_with("\n}\n")) ++halves;
        if (now != last) ++changes;
        last = now;
      }
      return changes >= 10;
    };
    CHECK(eventually(seesTenChanges, std::chrono::seconds{60}));
    CHECK(halves == 0);
  });
}

TEST_CASE("with invalid pod CIDRs install-node fails with the reason and writes no conflist") {
  onNode([](Node& node) {
    const Outcome outcome = node.install({"--pod-cidrs=10.244.1.0/33"});
    CHECK(outcome.exitCode == 2);
    CHECK(outcome.err.find("cannot make a network of the pod CIDRs 10.244.1.0/33: ") != std::string::npos);
    CHECK_MESSAGE(outcome.err.find("ipam.ranges") != std::string::npos, outcome.err);
    CHECK_FALSE(node.isReady());
    CHECK(fs::is_empty(node.root() / kConflist.parent_path()));
  });
}

TEST_CASE("on a node that cannot execute pons install-node fails and writes no conflist") {
  onNode([](Node& node) {
    outputOf({"mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", node.root() / kPlugins});
    const Outcome outcome = node.install({"--pod-cidrs=10.244.1.0/24"});
    CHECK(outcome.exitCode == 1);
    CHECK_MESSAGE(
        outcome.err.find("this node cannot run /opt/cni/bin/pons: check the image's architecture") != std::string::npos,
        outcome.err);
    CHECK_FALSE(node.isReady());
  });
}

TEST_CASE("install-node changes neither an existing loopback plugin nor other conflists") {
  onNode([](Node& node) {
    std::ofstream{node.root() / kPlugins / "loopback"} << "foreign";
    std::ofstream{node.root() / kConflist.parent_path() / "99-other.conflist"} << "other";
    node.mustInstall({"--pod-cidrs=10.244.1.0/24"});
    CHECK(contentOf(node.root() / kPlugins / "loopback") == "foreign");
    CHECK(contentOf(node.root() / kConflist.parent_path() / "99-other.conflist") == "other");
  });
}
