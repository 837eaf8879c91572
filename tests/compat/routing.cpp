// Pods across three hosts, in both families: pons makes each host's network, and the way between the hosts is another's
// business. Each example of scripts/kubernetes/ is run, and a link is set down and up.
#include <filesystem>
#include <iterator>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/compat/machine.h"
#include "tests/compat/side.h"
#include "tests/support/eventually.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kWeb = 80;
const fs::path kSource = PONS_SOURCE_DIR;
const fs::path kBird = "/usr/sbin/bird";

/// `text` with every `what` as `by`, of which there must be some.
std::string replaced(std::string text, const std::string& what, const std::string& by) {
  std::size_t at = text.find(what);
  REQUIRE_MESSAGE(at != std::string::npos, what);
  for (; at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
  return text;
}

struct Hosts {
  FakeHost host;
  std::list<Machine> machines = makeMachines(host, 3);

  const Machine& at(unsigned number) const { return *std::next(machines.begin(), number - 1); }
  Machine& at(unsigned number) { return *std::next(machines.begin(), number - 1); }
};

/// Joins links of machines; what is cut has no carrier at either end.
class Cable {
 public:
  explicit Cable(std::string name) : name_(std::move(name)) {
    outputOf({"ip", "link", "add", name_, "up", "type", "bridge"});
  }

  void join(const Machine& machine, const std::string& link, const std::vector<std::string>& addresses) {
    const std::string port = name_ + "-" + std::to_string(machine.number);
    outputOf({"ip", "link", "add", port, "up", "master", name_, "type", "veth", "peer", "name", link, "netns",
              machine.name});
    for (const std::string& address : addresses) machine.ip("address add " + address + " dev " + link + " nodad\n");
    machine.ip("link set " + link + " up\n");
    ports_.push_back(port);
  }

  void cut(unsigned end) const { outputOf({"ip", "link", "set", ports_.at(end), "down"}); }
  void restore(unsigned end) const { outputOf({"ip", "link", "set", ports_.at(end), "up"}); }
  void cut() const { cut(0), cut(1); }
  void restore() const { restore(0), restore(1); }

 private:
  std::string name_;
  std::vector<std::string> ports_;
};

std::string cnitool(const std::string& verb, const Machine& machine) {
  return machine.run({cnitoolPath(), verb, "several-hosts", machine.pod},
                     {"NETCONFPATH=/run/net.d", "CNI_PATH=" + fs::path{PONS_BINARY}.parent_path().string()});
}

/// The example, with the subnets of that machine.
void attachPod(Machine& machine) {
  const std::string number = std::to_string(machine.number);
  std::string list = contentOf(kSource / "conf-examples/10-several-hosts.conflist");
  list = replaced(replaced(list, "10.244.1.0/24", "10.244." + number + ".0/24"),
                  "fd00:244:1::", "fd00:244:" + number + "::");
  machine.write("/run/net.d/10-several-hosts.conflist", list);
  machine.addresses = attachedBy(machine.pod, cnitool("add", machine)).addresses;
  REQUIRE(machine.addresses.size() == 2);
}

void detachPods(const Hosts& hosts) {
  for (const Machine& machine : hosts.machines) {
    cnitool("del", machine);
    CHECK(machine.run({"nft", "list", "ruleset"}) == "");
  }
}

/// The pod of the one reaches that of the other, which sees its true addresses.
bool reaches(const Machine& from, const Machine& to, std::chrono::milliseconds patience = 3s) {
  for (std::size_t i = 0; i < to.addresses.size(); ++i) {
    const Server web{to.pod, Transport::Tcp, endpoint(to.addresses[i], kWeb), "web"};
    const auto answer =
        ask(from.pod, Transport::Tcp, endpoint(to.addresses[i], kWeb), {.source = {}, .timeout = patience});
    if (answer != "web " + from.addresses[i]) return false;
  }
  return true;
}

void checkAllReachEachOther(const Hosts& hosts) {
  for (const Machine& from : hosts.machines) {
    for (const Machine& to : hosts.machines) {
      if (&from == &to) continue;
      CAPTURE(from.name);
      CAPTURE(to.name);
      CHECK(reaches(from, to));
    }
  }
}

/// The next hops by which the machine sends to the pods of that number, of both families.
bool sendsBy(const Machine& machine, unsigned pods, const std::string& link) {
  const std::string number = std::to_string(pods);
  for (const std::string& command :
       {"-4 route show 10.244." + number + ".0/24", "-6 route show fd00:244:" + number + "::/64"}) {
    std::istringstream words{command};
    std::vector<std::string> argv{"ip", "-n", machine.name};
    argv.insert(argv.end(), std::istream_iterator<std::string>{words}, {});
    if (outputOf(argv).find(" dev " + link + " ") == std::string::npos) return false;
  }
  return true;
}

/// Three hosts, each with a wire to each other one, and bird on every one of them.
class Triangle : public Hosts {
 public:
  Triangle() {
    for (const Machine& machine : machines)
      machine.ip("address add 172.31.0." + std::to_string(machine.number) + "/32 dev lo\n");
    for (const auto& [one, other] : {std::pair{1U, 2U}, {1U, 3U}, {2U, 3U}}) {
      Cable& cable = cables_[{one, other}].emplace(wire(one, other));
      for (const unsigned number : {one, other}) {
        cable.join(at(number), "to" + std::to_string(one + other - number),
                   {address4(one, other, number) + "/24", address6(one, other, number) + "/64"});
      }
    }
    for (const Machine& machine : machines) {
      machine.write("/run/net.d/bird.conf", configurationOf(machine.number));
      birds_.push_back(machine.start({kBird, "-f", "-c", "/run/net.d/bird.conf", "-s", "/run/net.d/bird.ctl"}));
    }
  }

  const Cable& cable(unsigned one, unsigned other) const { return *cables_.at({one, other}); }

 private:
  static std::string wire(unsigned one, unsigned other) { return "wire" + std::to_string(one) + std::to_string(other); }
  static std::string address4(unsigned one, unsigned other, unsigned number) {
    return "172.31." + std::to_string(one) + std::to_string(other) + "." + std::to_string(number);
  }
  static std::string address6(unsigned one, unsigned other, unsigned number) {
    return "fd00:31:" + std::to_string(one) + std::to_string(other) + "::" + std::to_string(number);
  }

  /// The first host's is the example as it is.
  static std::string configurationOf(unsigned number) {
    const std::string example = contentOf(kSource / "scripts/kubernetes/bird.conf");
    if (number == 1) return example;
    const std::string own = std::to_string(number);
    std::string text = example.substr(0, example.find("protocol bgp "));
    text = replaced(text, "define NODE = 172.31.0.1;", "define NODE = 172.31.0." + own + ";");
    text = replaced(text, "define OWN_AS = 64501;", "define OWN_AS = 6450" + own + ";");
    text = replaced(text, "10.244.1.0/24", "10.244." + own + ".0/24");
    text = replaced(text, "fd00:244:1::/64", "fd00:244:" + own + "::/64");
    for (unsigned other = 1; other <= 3; ++other) {
      if (other == number) continue;
      const auto [low, high] = std::minmax(number, other);
      const std::string as = " as 6450" + std::to_string(other) + "; }\n";
      text += "protocol bgp from neighbour4 { neighbor " + address4(low, high, other) + as;
      text += "protocol bgp from neighbour6 { neighbor " + address6(low, high, other) + as;
    }
    return text;
  }

  std::map<std::pair<unsigned, unsigned>, std::optional<Cable>> cables_;
  std::vector<std::unique_ptr<ForkedProcess>> birds_;
};

}  // namespace

TEST_CASE("static routes connect three hosts, and a host whose link was down is reachable again without intervention") {
  if (!canCompare()) return FakeHost::countSkip();
  Hosts hosts;
  Cable lan{"lan"};
  for (Machine& machine : hosts.machines) {
    const std::string number = std::to_string(machine.number);
    lan.join(machine, "uplink", {"172.31.0." + number + "/24", "fd00:31::" + number + "/64"});
  }
  for (Machine& machine : hosts.machines) {
    std::istringstream all{contentOf(kSource / "scripts/kubernetes/routes")};
    std::string others;
    const std::string own = std::to_string(machine.number);
    for (std::string line; std::getline(all, line);) {
      if (!line.ends_with("172.31.0." + own) && !line.ends_with("fd00:31::" + own)) others += line + "\n";
    }
    machine.ip(others);
    attachPod(machine);
  }
  checkAllReachEachOther(hosts);

  lan.cut(2);
  CHECK_FALSE(reaches(hosts.at(1), hosts.at(3), 300ms));
  CHECK(reaches(hosts.at(1), hosts.at(2)));
  lan.restore(2);
  CHECK(eventually([&] { return reaches(hosts.at(1), hosts.at(3)); }, 20s));
  checkAllReachEachOther(hosts);
  detachPods(hosts);
}

TEST_CASE("BGP connects three hosts, routes around a link that is down, and back when it is up again") {
  if (!canCompare()) return FakeHost::countSkip();
  if (!fs::exists(kBird)) return FakeHost::countSkip("needs bird, which scripts/setup installs");
  Triangle hosts;
  for (Machine& machine : hosts.machines) attachPod(machine);
  const auto sendDirectly = [&] { return sendsBy(hosts.at(1), 3, "to3") && sendsBy(hosts.at(3), 1, "to1"); };
  REQUIRE(eventually(sendDirectly, 30s));
  REQUIRE(eventually([&] { return sendsBy(hosts.at(1), 2, "to2") && sendsBy(hosts.at(2), 3, "to3"); }, 30s));
  REQUIRE(eventually([&] { return sendsBy(hosts.at(2), 1, "to1") && sendsBy(hosts.at(3), 2, "to2"); }, 30s));
  checkAllReachEachOther(hosts);

  hosts.cable(1, 3).cut();
  CHECK(eventually([&] { return sendsBy(hosts.at(1), 3, "to2") && sendsBy(hosts.at(3), 1, "to2"); }, 30s));
  checkAllReachEachOther(hosts);

  // The third host is unreachable, and the others receive no BGP update.
  hosts.cable(2, 3).cut();
  CHECK(eventually([&] { return !sendsBy(hosts.at(1), 3, "to2") && !sendsBy(hosts.at(1), 3, "to3"); }, 30s));
  CHECK_FALSE(reaches(hosts.at(1), hosts.at(3), 300ms));
  CHECK(reaches(hosts.at(1), hosts.at(2)));

  for (const auto& [one, other] : {std::pair{1U, 3U}, {2U, 3U}}) hosts.cable(one, other).restore();
  CHECK(eventually(sendDirectly, 30s));
  CHECK(eventually([&] { return sendsBy(hosts.at(2), 3, "to3") && sendsBy(hosts.at(3), 2, "to2"); }, 30s));
  checkAllReachEachOther(hosts);
  detachPods(hosts);
}
