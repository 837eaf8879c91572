// Three hosts on one underlay, a pod network across them as flannel lays it out: each host has a subnet, and routes to
// those of the others.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <list>
#include <stdexcept>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/compat/side.h"

using namespace support;
using netlib::UniqueFd;

namespace {

constexpr unsigned kMachines = 3;
constexpr std::uint16_t kWeb = 80;
const std::string kFarAddress = "172.31.0.254";

std::string machineAddress(unsigned number) { return "172.31.0." + std::to_string(number); }
std::string podSubnet(unsigned number) { return "10.244." + std::to_string(number) + ".0/24"; }

void must(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// A host in small: a network namespace, and a mount namespace with directories of its own for all that plugins and
/// runtimes keep. It sees the containers' namespaces that were there when it was made.
class Machine {
 public:
  Machine(FakeHost& host, unsigned number)
      : netns(host.addNamespace("host" + std::to_string(number))), pod("/run/netns/pod" + std::to_string(number)) {
    int ready[2];
    must(pipe2(ready, O_CLOEXEC) == 0, "pipe");
    const UniqueFd read{ready[0]}, write{ready[1]};
    keeper_.emplace([&] {
      must(unshare(CLONE_NEWNS) == 0, "unshare the mounts");
      for (const char* directory : {"/var/lib", "/run/pons", "/run/cni", "/run/flannel", "/run/net.d"}) {
        must(mount("tmpfs", directory, "tmpfs", 0, "mode=0700") == 0, "mount a tmpfs");
      }
      must(::write(write.get(), "", 1) == 1, "tell");
      return pause();
    });
    char told;
    must(::read(read.get(), &told, 1) == 1, "the machine's mounts");
    mounts_ = UniqueFd{open(("/proc/" + std::to_string(keeper_->pid()) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC)};
    net_ = UniqueFd{open(netns.c_str(), O_RDONLY | O_CLOEXEC)};
  }

  /// On the machine; it must succeed.
  std::string run(const std::vector<std::string>& argv, std::vector<std::string> environment = {},
                  const std::string& input = {}) const {
    environment.push_back(std::string{"PATH="} + getenv("PATH"));
    const Outcome outcome = support::run(
        argv, {.environment = std::move(environment), .input = input, .beforeExec = [this] {
                 const bool there = setns(net_.get(), CLONE_NEWNET) == 0 && setns(mounts_.get(), CLONE_NEWNS) == 0;
                 if (!there) _exit(126);
               }});
    if (!outcome.ok()) throw std::runtime_error(argv[0] + " on " + netns + ": " + outcome.out + outcome.err);
    return outcome.out;
  }
  void ip(const std::string& commands) const { run({"ip", "-batch", "-"}, {}, commands); }

  std::string netns;
  std::string pod;  ///< path of the namespace of its one pod
  std::string podAddress;

 private:
  std::optional<ForkedProcess> keeper_;
  UniqueFd mounts_;
  UniqueFd net_;
};

/// The machines, joined by an underlay with somebody outside of the pod network, who has no route back to it.
struct Cluster {
  FakeHost host;
  std::string outside = host.addNamespace("outside");
  std::list<Machine> machines;

  Cluster() {
    for (unsigned i = 1; i <= kMachines; ++i) host.addNamespace("pod" + std::to_string(i));
    for (const char* name : {"pons", "cni", "flannel", "net.d"}) {
      std::filesystem::create_directory(std::filesystem::path{"/run"} / name);
    }
    outputOf({"ip", "link", "add", "underlay", "up", "type", "bridge"});
    join("outside", kFarAddress);
    for (unsigned i = 1; i <= kMachines; ++i) {
      machines.emplace_back(host, i);
      join("host" + std::to_string(i), machineAddress(i));
    }
    unsigned number = 1;
    for (const Machine& machine : machines) {
      std::string routes = "route add default via " + kFarAddress + "\n";
      for (unsigned other = 1; other <= kMachines; ++other) {
        if (other != number) routes += "route add " + podSubnet(other) + " via " + machineAddress(other) + "\n";
      }
      machine.ip(routes);
      ++number;
    }
  }

  void join(const std::string& name, const std::string& address) {
    const std::string port = "to-" + name;
    outputOf({"ip", "link", "add", port, "up", "master", "underlay", "type", "veth", "peer", "name", "uplink", "netns",
              name});
    outputOf({"ip", "-n", name, "address", "add", address + "/24", "dev", "uplink"});
    for (const char* link : {"lo", "uplink"}) outputOf({"ip", "-n", name, "link", "set", link, "up"});
  }
};

/// Every pod reaches every other one, which sees its true address, and the outside, which sees its host's.
void checkTraffic(const Cluster& cluster) {
  std::list<Server> servers;
  servers.emplace_back(cluster.outside, Transport::Tcp, endpoint(kFarAddress, kWeb), "far");
  for (const Machine& machine : cluster.machines) {
    servers.emplace_back(machine.pod, Transport::Tcp, endpoint("0.0.0.0", kWeb), machine.podAddress);
  }
  unsigned number = 1;
  for (const Machine& from : cluster.machines) {
    CAPTURE(number);
    for (const Machine& to : cluster.machines) {
      if (&from == &to) continue;
      CHECK(ask(from.pod, Transport::Tcp, endpoint(to.podAddress, kWeb)) == to.podAddress + " " + from.podAddress);
    }
    CHECK(ask(from.pod, Transport::Tcp, endpoint(kFarAddress, kWeb)) == "far " + machineAddress(number));
    ++number;
  }
}

/// The pods' host ports, from other machines' pods and from outside.
void checkPublished(const Cluster& cluster) {
  const Machine& first = cluster.machines.front();
  const Machine& last = cluster.machines.back();
  const Server web{first.pod, Transport::Tcp, endpoint("0.0.0.0", kWeb), "web"};
  CHECK(ask(cluster.outside, Transport::Tcp, endpoint(machineAddress(1), 8080)) == "web " + kFarAddress);
  const auto fromPod = ask(last.pod, Transport::Tcp, endpoint(machineAddress(1), 8080));
  CHECK(fromPod.value_or("nothing").starts_with("web "));
}

std::string onPodsOf(const std::string& verb, const Machine& machine, const Conflist& list,
                     const std::string& plugins) {
  return machine.run({cnitoolPath(), verb, list.name, machine.pod},
                     {"NETCONFPATH=/run/net.d", "CNI_PATH=" + plugins + ":" + standInPlugins(),
                      R"(CAP_ARGS={"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})"});
}

void withFlannel(const std::string& plugins) {
  CAPTURE(plugins);
  Cluster cluster;
  const Conflist list = conflist("10-flannel.conflist");
  unsigned number = 1;
  for (Machine& machine : cluster.machines) {
    machine.run({"tee", "/run/flannel/subnet.env"}, {},
                "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244." + std::to_string(number++) +
                    ".1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
    machine.run({"tee", "/run/net.d/" + list.file}, {}, list.text);
    // With FLANNEL_IPMASQ=true the plugin gets "ipMasq": false, and flanneld makes the rule.
    machine.run({"iptables", "-t", "nat", "-A", "POSTROUTING", "-s", "10.244.0.0/16", "!", "-d", "10.244.0.0/16", "-j",
                 "MASQUERADE"});
    machine.podAddress = attachedBy(machine.pod, onPodsOf("add", machine, list, plugins)).addresses.at(0);
    CHECK(machine.podAddress.starts_with("10.244." + std::to_string(number - 1) + "."));
  }
  checkTraffic(cluster);
  checkPublished(cluster);
  for (const Machine& machine : cluster.machines) {
    onPodsOf("del", machine, list, plugins);
    CHECK(outputOf({"ip", "-n", std::filesystem::path{machine.pod}.filename(), "link"}).find("eth0") ==
          std::string::npos);
  }
}

}  // namespace

TEST_CASE("flannel's pods on three hosts see each other's true addresses") {
  if (!canCompare()) return FakeHost::countSkip();
  withFlannel(kReferencePlugins);
  if (ourPlugins() != kReferencePlugins) withFlannel(ourPlugins());
}

TEST_CASE("pons alone masquerades what leaves the pod network of three hosts, and nothing inside of it") {
  if (!canCompare()) return FakeHost::countSkip();
  Cluster cluster;
  const auto call = [](const Machine& machine, const std::string& verb, unsigned number) {
    return machine.run(
        {PONS_BINARY},
        {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=pod", "CNI_IFNAME=eth0", "CNI_PATH=/", "CNI_NETNS=" + machine.pod},
        R"({"cniVersion": "1.0.0", "name": "pods", "type": "pons", "bridge": "cni0",
                           "ipMasqExclude": ["10.244.0.0/16"], "ipam": {"subnet": ")" +
            podSubnet(number) + R"("}, "runtimeConfig": {"portMappings":
                           [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}})");
  };
  unsigned number = 1;
  for (Machine& machine : cluster.machines) {
    machine.podAddress = attachedBy(machine.pod, call(machine, "ADD", number++)).addresses.at(0);
  }
  checkTraffic(cluster);
  checkPublished(cluster);
  number = 1;
  for (const Machine& machine : cluster.machines) {
    call(machine, "DEL", number++);
    CHECK(machine.run({"nft", "list", "ruleset"}) == "");
  }
}
