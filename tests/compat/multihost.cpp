// Three hosts on one underlay, a pod network across them as flannel lays it out: each host has a subnet, and routes to
// those of the others.
#include <filesystem>
#include <list>

#include <doctest/doctest.h>

#include "tests/compat/machine.h"
#include "tests/compat/side.h"

using namespace support;

namespace {

constexpr unsigned kMachines = 3;
constexpr std::uint16_t kWeb = 80;
const std::string kFarAddress = "172.31.0.254";

std::string machineAddress(unsigned number) { return "172.31.0." + std::to_string(number); }
std::string podSubnet(unsigned number) { return "10.244." + std::to_string(number) + ".0/24"; }

/// The machines on an underlay network, with an external peer that has no route to the pod network.
struct Cluster {
  FakeHost host;
  std::string outside = host.addNamespace("outside");
  std::list<Machine> machines = makeMachines(host, kMachines);

  Cluster() {
    outputOf({"ip", "link", "add", "underlay", "up", "type", "bridge"});
    join("outside", kFarAddress);
    for (const Machine& machine : machines) join(machine.name, machineAddress(machine.number));
    for (const Machine& machine : machines) {
      std::string routes = "route add default via " + kFarAddress + "\n";
      for (unsigned other = 1; other <= kMachines; ++other) {
        if (other != machine.number) routes += "route add " + podSubnet(other) + " via " + machineAddress(other) + "\n";
      }
      machine.ip(routes);
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
    servers.emplace_back(machine.pod, Transport::Tcp, endpoint("0.0.0.0", kWeb), machine.addresses.at(0));
  }
  for (const Machine& from : cluster.machines) {
    CAPTURE(from.number);
    for (const Machine& to : cluster.machines) {
      if (&from == &to) continue;
      CHECK(ask(from.pod, Transport::Tcp, endpoint(to.addresses.at(0), kWeb)) ==
            to.addresses.at(0) + " " + from.addresses.at(0));
    }
    CHECK(ask(from.pod, Transport::Tcp, endpoint(kFarAddress, kWeb)) == "far " + machineAddress(from.number));
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
  for (Machine& machine : cluster.machines) {
    machine.write("/run/flannel/subnet.env", "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244." +
                                                 std::to_string(machine.number) +
                                                 ".1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
    machine.write("/run/net.d/" + list.file, list.text);
    // With FLANNEL_IPMASQ=true the plugin gets "ipMasq": false, and flanneld makes the rule.
    machine.run({"iptables", "-t", "nat", "-A", "POSTROUTING", "-s", "10.244.0.0/16", "!", "-d", "10.244.0.0/16", "-j",
                 "MASQUERADE"});
    machine.addresses = attachedBy(machine.pod, onPodsOf("add", machine, list, plugins)).addresses;
    CHECK(machine.addresses.at(0).starts_with("10.244." + std::to_string(machine.number) + "."));
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
  const auto call = [](const Machine& machine, const std::string& verb) {
    return machine.run(
        {PONS_BINARY},
        {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=pod", "CNI_IFNAME=eth0", "CNI_PATH=/", "CNI_NETNS=" + machine.pod},
        R"({"cniVersion": "1.0.0", "name": "pods", "type": "pons", "bridge": "cni0",
                           "ipMasqExclude": ["10.244.0.0/16"], "ipam": {"subnet": ")" +
            podSubnet(machine.number) + R"("}, "runtimeConfig": {"portMappings":
                           [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}})");
  };
  for (Machine& machine : cluster.machines) {
    machine.addresses = attachedBy(machine.pod, call(machine, "ADD")).addresses;
  }
  checkTraffic(cluster);
  checkPublished(cluster);
  for (const Machine& machine : cluster.machines) {
    call(machine, "DEL");
    CHECK(machine.run({"nft", "list", "ruleset"}) == "");
  }
}
