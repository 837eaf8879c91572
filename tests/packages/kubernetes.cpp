// scripts/kubernetes/: the manifest against the API's models, and the init container's script on a simulated node with
// a simulated API, without a cluster.
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

struct Certificate {
  fs::path certificate;
  fs::path key;

  Certificate(const Scratch& scratch, const std::string& name)
      : certificate(scratch / (name + ".crt")), key(scratch / (name + ".key")) {
    outputOf({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
              "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1,IP:::1", "-keyout", key, "-out",
              certificate});
  }
};

/// A node, which is also the image of the init container: the package pons is installed, and /host is the node's root.
class Node {
 public:
  explicit Node(const FakeRoot& root) : root_(root) {
    installPackages(root, {packageOf("pons")});
    fs::copy_file(kSource / "scripts/kubernetes/install-node", script());
    fs::remove_all(root / "/host");
    fs::create_symlink("/", root / "/host");
    for (const fs::path& directory : {kPlugins, kConflist.parent_path()}) fs::remove_all(root / directory);
    fs::create_directories(account());
    std::ofstream{account() / "token"} << kToken;
    trust(own_);
  }

  /// Makes it the cluster's CA.
  void trust(const Certificate& authority) const {
    fs::copy_file(authority.certificate, account() / "ca.crt", fs::copy_options::overwrite_existing);
  }

  void startApi(const std::vector<std::string>& answers, const std::string& address = "127.0.0.1") {
    address_ = address;
    std::vector<std::string> argv{kPython,          kSource / "tests/packages/api_server.py",
                                  address,          "6443",
                                  own_.certificate, own_.key,
                                  kToken,           scratch_ / "requests"};
    argv.insert(argv.end(), answers.begin(), answers.end());
    api_.emplace([argv] {
      std::vector<char*> words;
      for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      execv(words[0], words.data());
      return 127;
    });
    const auto listens = [] { return !outputOf({"ss", "-Htln", "sport = 6443"}).empty(); };
    REQUIRE(eventually(listens, std::chrono::seconds{20}));
  }

  /// With the capabilities of the manifest only; variables as "NAME=value".
  Outcome install(std::vector<std::string> environment = {}) const {
    RunOptions options;
    environment.insert(environment.begin(), {"NODE_NAME=node1", "CLUSTER_CIDRS=10.244.0.0/16,fd00:244::/48",
                                             "KUBERNETES_SERVICE_HOST=" + address_, "KUBERNETES_SERVICE_PORT=6443"});
    options.environment = environment;
    return root_.run({"setpriv", "--bounding-set", "-all,+sys_chroot", "/root/install-node"}, options);
  }
  void mustInstall(const std::vector<std::string>& environment = {}) const {
    const Outcome outcome = install(environment);
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
  static constexpr const char* kToken = "the-token";
  fs::path script() const { return root_ / "/root/install-node"; }
  fs::path account() const { return root_ / "/run/secrets/kubernetes.io/serviceaccount"; }

  const FakeRoot& root_;
  Scratch scratch_;
  Certificate own_{scratch_, "api"};
  std::string address_ = "127.0.0.1";
  std::optional<ForkedProcess> api_;
};

void onNode(const std::function<void(Node& node)>& work) {
  for (const char* program : {"/usr/bin/curl", "/usr/bin/openssl", kPython}) {
    if (!fs::exists(program))
      return FakeHost::countSkip(std::string{"needs "} + program + ", which scripts/setup installs");
  }
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
      fs::create_directories((node.root() / former).parent_path());
      std::ofstream{node.root() / former} << R"({"name": "mine", "plugins": [{"type": ")" << type << "\"}]}";
      for (int i = 0; i < 2; ++i) {
        node.mustInstall({"POD_CIDRS=10.244.7.0/24"});
        CHECK(node.conflist(".name") == (type == "pons" ? "mine" : "pods"));
        CHECK(fs::exists(node.root() / former) == (type != "pons"));
      }
    });
  }
}

TEST_CASE("install-node installs the programs, and a network with the node's pod CIDRs") {
  onNode([](Node& node) {
    node.startApi({kBoth});
    node.mustInstall();
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
    node.mustInstall();
    CHECK(fs::last_write_time(node.root() / kConflist.parent_path()) == written);
  });
}

TEST_CASE("ADD works with the network that install-node wrote") {
  onNode([](Node& node) {
    node.mustInstall({"POD_CIDRS=10.244.7.0/24,fd00:244:7::/64"});
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
    node.startApi({kNone, R"({"spec": {"podCIDR": "10.244.7.0/24"}})"}, "::1");
    node.mustInstall();
    CHECK(node.conflist(".plugins[0].ipam.ranges") == R"([[{"subnet":"10.244.7.0/24"}]])");
    CHECK(node.requests() == "/api/v1/nodes/node1 200\n/api/v1/nodes/node1 200\n");
  });
  onNode([](Node& node) {
    node.startApi({kNone});
    const Outcome outcome = node.install({"PATIENCE=0"});
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.err.find("node node1 has no pod CIDRs: does kube-controller-manager") != std::string::npos);
    CHECK_FALSE(node.isReady());
  });
}

TEST_CASE("install-node sends the token only to a server with a certificate of the cluster's CA") {
  onNode([](Node& node) {
    const Scratch scratch;
    node.trust(Certificate{scratch, "other"});
    node.startApi({kBoth});
    const Outcome outcome = node.install({"PATIENCE=0"});
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.err.find("certificate") != std::string::npos);
    CHECK(node.requests().empty());
    CHECK_FALSE(node.isReady());
  });
}

TEST_CASE("install-node replaces the conflist atomically") {
  onNode([](Node& node) {
    node.mustInstall({"POD_CIDRS=10.244.1.0/24"});
    const ForkedProcess writer{[&node] {
      int number = 0;
      while (node.install({"POD_CIDRS=10.244." + std::to_string(number % 200) + ".0/24"}).ok()) ++number;
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
    const Outcome outcome = node.install({"POD_CIDRS=10.244.1.0/33"});
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.err.find("cannot make a network of the pod CIDRs 10.244.1.0/33: ") != std::string::npos);
    CHECK_MESSAGE(outcome.err.find("ipam.ranges") != std::string::npos, outcome.err);
    CHECK_FALSE(node.isReady());
    CHECK(fs::is_empty(node.root() / kConflist.parent_path()));
  });
}

TEST_CASE("pons needs no libraries of the node") {
  if (run({"ldd", PONS_BINARY}).ok()) { return FakeHost::countSkip("needs a static pons, see scripts/setup"); }
  onNode([](Node& node) {
    const fs::path bare = node.root() / "/host";
    fs::remove(bare);
    fs::create_directory(bare);
    node.mustInstall({"POD_CIDRS=10.244.1.0/24"});
    CHECK(fs::exists(bare / kConflist.relative_path()));
  });
}

TEST_CASE("on a node that cannot execute pons install-node fails and writes no conflist") {
  onNode([](Node& node) {
    const fs::path forbidding = node.root() / "/host";
    fs::remove(forbidding);
    fs::create_directory(forbidding);
    outputOf({"mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", forbidding});
    const Outcome outcome = node.install({"POD_CIDRS=10.244.1.0/24"});
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.err.find("this node cannot run /opt/cni/bin/pons: check the image's architecture") !=
          std::string::npos);
    CHECK_FALSE(fs::exists(forbidding / kConflist.relative_path()));
  });
}

TEST_CASE("install-node changes neither an existing loopback plugin nor other conflists") {
  onNode([](Node& node) {
    fs::create_directories(node.root() / kPlugins);
    fs::create_directories(node.root() / kConflist.parent_path());
    std::ofstream{node.root() / kPlugins / "loopback"} << "foreign";
    std::ofstream{node.root() / kConflist.parent_path() / "99-other.conflist"} << "other";
    node.mustInstall({"POD_CIDRS=10.244.1.0/24"});
    CHECK(contentOf(node.root() / kPlugins / "loopback") == "foreign");
    CHECK(contentOf(node.root() / kConflist.parent_path() / "99-other.conflist") == "other");
  });
}
