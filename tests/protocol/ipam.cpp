// ipam types host-local and static in process, and foreign ones as programs, through every verb.
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

namespace fs = std::filesystem;

const std::string kHostLocal =
    R"("ipam": {"type": "host-local", "dataDir": "/run/leases", "ranges": [[{"subnet": "10.42.0.0/29"}], )"
    R"([{"subnet": "fd42::/64"}]]})";
constexpr const char* kReference = "/usr/lib/cni/host-local";

void put(const std::string& path, const std::string& content) { std::ofstream{path, std::ios::binary} << content; }

/// The addresses in the host-local files of network demo.
std::set<std::string> leased() {
  std::set<std::string> names;
  if (!fs::exists("/run/leases/demo")) return names;
  for (const auto& entry : fs::directory_iterator{"/run/leases/demo"}) {
    const std::string name = entry.path().filename();
    if (name != "lock" && !name.starts_with("last_reserved_ip.")) names.insert(name);
  }
  return names;
}

std::string textOfAll(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

Outcome callReference(const std::string& verb, const std::string& config, const std::string& container) {
  auto environment = environmentOf(verb, subjectOf(container));
  return run({kReference}, {.environment = environment, .input = config});
}

/// A foreign IPAM plugin: logs every call, prints the given result, and fails on demand.
class FakePlugin {
 public:
  explicit FakePlugin(const std::string& result) {
    fs::create_directories("/run/plugins");
    put("/run/plugins/fake", R"(#!/bin/sh
cat > /run/plugins/stdin.$CNI_COMMAND
env > /run/plugins/env.$CNI_COMMAND
cat /proc/self/status > /run/plugins/status.$CNI_COMMAND
echo "$CNI_COMMAND ${CNI_CONTAINERID:--} ${CNI_IFNAME:--} ${CNI_NETNS:--} ${CNI_ARGS:--}" >> /run/plugins/calls
if [ -f /run/plugins/fail.$CNI_COMMAND ]; then cat /run/plugins/fail.$CNI_COMMAND; exit 1; fi
if [ "$CNI_COMMAND" = ADD ]; then cat /run/plugins/result; fi
)");
    fs::permissions("/run/plugins/fake", static_cast<fs::perms>(0755));
    put("/run/plugins/result", result);
  }

  /// What was called since the last time.
  static std::string calls() {
    const std::string text = contentOf("/run/plugins/calls");
    fs::remove("/run/plugins/calls");
    return text;
  }
  static void failOn(const std::string& verb, const std::string& answer) { put("/run/plugins/fail." + verb, answer); }
  static void succeedOn(const std::string& verb) { fs::remove("/run/plugins/fail." + verb); }
  static std::string input(const std::string& verb) { return contentOf("/run/plugins/stdin." + verb); }
  static std::string environment(const std::string& verb) { return contentOf("/run/plugins/env." + verb); }
};

const std::string kGiven =
    R"({"cniVersion": "1.1.0", "ips": [{"address": "10.50.0.9/24", "gateway": "10.50.0.1"}, {"address": "fd50::9/64"}],)"
    R"( "routes": [{"dst": "10.60.0.0/16", "gw": "10.50.0.1"}], "dns": {"nameservers": ["10.50.0.53"]}})";
const std::string kForeign = R"("ipam": {"type": "fake", "range": "10.50.0.0/24"})";

/// With the plugin's directory in CNI_PATH, and variables that a plugin should see and others that it must not.
Outcome callWithPlugin(const std::string& verb, const std::string& config, const Subject& subject = {},
                       const std::string& path = "/opt/cni/bin:/run/plugins") {
  const bool ofNetwork = verb == "GC" || verb == "STATUS";
  auto environment = ofNetwork ? std::vector<std::string>{"CNI_COMMAND=" + verb} : environmentOf(verb, subject);
  std::erase(environment, "CNI_PATH=/opt/cni/bin");
  for (const std::string& more : {"CNI_PATH=" + path, std::string{"KUBECONFIG=/etc/kube"},
                                  std::string{"LD_PRELOAD=/nowhere.so"}, std::string{"BASH_ENV=/nowhere"}}) {
    environment.push_back(more);
  }
  return run({PONS_BINARY}, {.environment = environment, .input = config});
}

}  // namespace

TEST_CASE("host-local: files in addition to the claims, in round-robin order; CHECK verifies them, DEL removes them") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  Network demo{"demo", kHostLocal};
  CHECK(demo.attach(host, "c1") == "10.42.0.2");
  CHECK(textOfAll(leased()) == "10.42.0.2 fd42::2 ");
  CHECK(contentOf("/run/leases/demo/10.42.0.2") == "c1\r\neth0");
  CHECK(contentOf("/run/leases/demo/last_reserved_ip.1") == "fd42::2");
  CHECK(demo.attach(host, "c2") == "10.42.0.3");
  demo.checkAll();
  checkSilent(demo.del("c1"));
  CHECK(textOfAll(leased()) == "10.42.0.3 fd42::3 ");
  CHECK(demo.attach(host, "c3") == "10.42.0.4");

  fs::remove("/run/leases/demo/10.42.0.4");
  checkError(demo.check("c3"), ErrorCode::CheckFailed, {"failed to find address 10.42.0.4", "pons repair"});
  CHECK(repair().ok());
  checkSilent(demo.check("c3"));

  for (const char* container : {"c2", "c3", "c3"}) checkSilent(demo.del(container));
  CHECK(leased().empty());
  for (const char* container : {"c1", "c2", "c3"}) host.endNamespace("/run/netns/" + std::string{container});
}

TEST_CASE("host-local: DEL uses the record, whatever the current configuration is") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  demo.attach(host, "c1");
  checkSilent(del(configOf("1.1.0", R"("ipam": {"type": "host-local", "dataDir": "/run/elsewhere"})")));
  CHECK(leased().empty());
  demo.attach(host, "c2");
  checkSilent(del(configOf("1.1.0", ""), subjectOf("c2")));
  CHECK(leased().empty());
}

TEST_CASE("host-local: a failed ADD leaves no file, and a record that was torn frees them all the same") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  host.addNamespace("c1");
  shell("ip -n c1 link add eth0 type bridge");
  checkError(add(demo.config()), ErrorCode::AlreadyAttached, {"eth0"});
  CHECK(leased().empty());
  shell("ip -n c1 link del eth0");
  resultOf(add(demo.config()));
  CHECK(leased().size() == 2);
  shell("truncate -s 40 " + recordOf(demo, "c1"));
  checkSilent(demo.del("c1"));
  CHECK(leased().empty());
}

TEST_CASE("host-local: a full pool is reported with its size, leases of dead containers are reclaimed, and STATUS returns 50") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  for (const char* container : {"c1", "c2", "c3", "c4"}) demo.attach(host, container);
  put("/run/leases/demo/10.42.0.6", "c9\r\neth0");  // by the reference
  host.addNamespace("c5");
  const std::vector<std::string> words{"no free address in network demo", "5 of 5 addresses of 10.42.0.0/29"};
  checkError(add(demo.config(), subjectOf("c5")), ErrorCode::TryAgain, words);
  checkError(demo.status(), ErrorCode::NotAvailable, words);
  CHECK(textOfAll(leased()) == "10.42.0.2 10.42.0.3 10.42.0.4 10.42.0.5 10.42.0.6 fd42::2 fd42::3 fd42::4 fd42::5 ");
  host.endNamespace("/run/netns/c2");
  demo.forget("c2");
  CHECK(demo.attach(host, "c6") == "10.42.0.3");
  CHECK(contentOf("/run/leases/demo/10.42.0.3") == "c6\r\neth0");
  demo.checkAll();
}

TEST_CASE("host-local: what the reference leased is honoured, freed by our DEL, and the other way round") {
  REQUIRE_FAKE_HOST(host);
  if (!fs::exists(kReference)) return FakeHost::countSkip();
  Network demo{"demo", kHostLocal};
  const std::string config = R"({"cniVersion": "1.0.0", "name": "demo", "type": "ptp", )" + kHostLocal + "}";
  REQUIRE(callReference("ADD", config, "r1").ok());
  CHECK(demo.attach(host, "c1") == "10.42.0.3");
  const auto third = documentOf(callReference("ADD", config, "r2"));
  CHECK(addressIn(third) == "10.42.0.4");
  checkError(
      add(demo.config(), {.container = "r3", .netns = "/run/netns/c1", .ifName = "eth1", .args = "IP=10.42.0.2"}),
      ErrorCode::InvalidConfig, {"10.42.0.2", "container r1 (eth0)", "/run/leases/demo"});

  // A container that the reference attached before pons came.
  checkSilent(del(demo.config(), subjectOf("r1")));
  CHECK(textOfAll(leased()) == "10.42.0.3 10.42.0.4 fd42::3 fd42::4 ");
  // Somebody went back to the reference, and back again: our DEL finds its files gone.
  CHECK(callReference("CHECK", config, "c1").ok());
  REQUIRE(callReference("DEL", config, "c1").ok());
  checkSilent(demo.del("c1"));
  CHECK(textOfAll(leased()) == "10.42.0.4 fd42::4 ");
}

TEST_CASE("host-local: GC frees what is not in the list, and without a list nothing of other plugins' containers") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  put("/run/leases/demo/10.42.0.5", "r1\r\neth0");
  put("/run/leases/demo/10.42.0.6", "r2\r\neth0");
  checkSilent(demo.gc());
  CHECK(leased().size() == 6);
  checkSilent(demo.gcAllBut({"c2", "r2"}));
  CHECK(textOfAll(leased()) == "10.42.0.3 10.42.0.6 fd42::3 ");
  demo.forget("c1");
  demo.checkAll();
}

TEST_CASE("static: the addresses of the configuration, one owner each; a dead owner's is taken back") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"type": "static", "routes": [{"dst": "10.99.0.0/16"}], "addresses": )"
                       R"([{"address": "10.42.0.7/24", "gateway": "10.42.0.1"}, {"address": "fd42::7/64"}]})"};
  CHECK(demo.attach(host, "c1") == "10.42.0.7");
  const std::string routes = outputOf({"ip", "-n", "c1", "route"});
  CHECK_MESSAGE(contains(routes, "default via 10.42.0.1"), routes);
  CHECK_MESSAGE(contains(routes, "10.99.0.0/16 via 10.42.0.1"), routes);
  CHECK(contains(outputOf({"ip", "-n", "c1", "-6", "addr"}), "fd42::7/64"));
  CHECK(contains(outputOf({"nft", "list", "ruleset"}), "10.42.0.0/24"));
  demo.checkAll();
  host.addNamespace("c2");
  checkError(add(demo.config(), subjectOf("c2")), ErrorCode::InvalidConfig, {"10.42.0.7", "container c1 (eth0)"});
  host.endNamespace("/run/netns/c1");
  demo.forget("c1");
  resultOf(add(demo.config(), subjectOf("c2")));
  const std::string elsewhere = R"("runtimeConfig": {"ips": ["10.42.0.8/24"]})";
  CHECK(demo.attach(host, "c3", elsewhere) == "10.42.0.8");
}

TEST_CASE("A foreign ipam type: its program gives the addresses, and hears of every verb") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kForeign);
  const Subject subject{.args = "IgnoreUnknown=1;K8S_POD_NAME=p"};
  const std::string who = " c1 eth0 /run/netns/c1 IgnoreUnknown=1;K8S_POD_NAME=p\n";

  const Outcome added = callWithPlugin("ADD", config, subject);
  const auto result = resultOf(added);
  CHECK(addressIn(result) == "10.50.0.9");
  CHECK(result["ips"].items().size() == 2);
  CHECK(textOf(result["dns"]["nameservers"].items().at(0)) == "10.50.0.53");
  CHECK(FakePlugin::calls() == "ADD" + who);
  CHECK(FakePlugin::input("ADD") == config);
  const std::string environment = FakePlugin::environment("ADD");
  CHECK(contains(environment, "KUBECONFIG=/etc/kube\n"));
  CHECK(contains(environment, "CNI_PATH=/opt/cni/bin:/run/plugins\n"));
  for (const char* never : {"LD_PRELOAD", "BASH_ENV"}) CHECK(!contains(environment, never));
  const std::string routes = outputOf({"ip", "-n", "c1", "route"});
  CHECK_MESSAGE(contains(routes, "10.60.0.0/16 via 10.50.0.1"), routes);

  const std::string checked = withPrevious(config, added.out);
  checkSilent(callWithPlugin("CHECK", checked, subject));
  CHECK(FakePlugin::calls() == "CHECK" + who);
  CHECK(FakePlugin::input("CHECK") == checked);
  checkSilent(callWithPlugin("STATUS", config));
  CHECK(FakePlugin::calls() == "STATUS - - - -\n");
  const std::string kept = withValid(config, {"c1"});
  checkSilent(callWithPlugin("GC", kept));
  CHECK(FakePlugin::calls() == "GC - - - -\n");
  CHECK(FakePlugin::input("GC") == kept);

  checkSilent(callWithPlugin("DEL", checked, subject));
  CHECK(FakePlugin::calls() == "DEL" + who);
  CHECK(FakePlugin::input("DEL") == checked);
  // Without a record DEL is still delegated: the plugin may have a lease.
  checkSilent(callWithPlugin("DEL", config, subject));
  CHECK(FakePlugin::calls() == "DEL" + who);
}

TEST_CASE("A foreign ipam type: its program gets no more rights than pons keeps, and no way to more") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  resultOf(callWithPlugin("ADD", configOf("1.1.0", kForeign)));
  const std::string status = contentOf("/run/plugins/status.ADD");
  // chown, dac_override, fowner, net_bind_service, net_admin, net_raw, sys_ptrace, sys_admin
  for (const char* line :
       {"CapPrm:\t000000000028340b\n", "CapEff:\t000000000028340b\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"}) {
    CHECK_MESSAGE(status.find(line) != std::string::npos, line);
  }
  checkSilent(callWithPlugin("DEL", configOf("1.1.0", kForeign)));
}

TEST_CASE("A foreign ipam type: whatever fails after its ADD, its DEL is run once") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kForeign);
  const std::string both = "ADD c1 eth0 /run/netns/c1 -\nDEL c1 eth0 /run/netns/c1 -\n";
  const auto fails = [&](ErrorCode code, const std::vector<std::string>& words, const std::string& input) {
    const Unchanged unchanged{host};
    checkError(callWithPlugin("ADD", input), code, words);
    CHECK(FakePlugin::calls() == both);
  };
  shell("ip -n c1 link add eth0 type bridge");
  fails(ErrorCode::AlreadyAttached, {"eth0"}, config);
  shell("ip -n c1 link del eth0");

  shell("ip addr add 10.50.0.9/32 dev lo");
  fails(ErrorCode::InvalidConfig, {"10.50.0.9", "assigned to the host"}, config);
  shell("ip addr del 10.50.0.9/32 dev lo");

  FakePlugin::failOn("ADD", R"({"code": 123, "msg": "no lease for you", "details": "pool is dry"})");
  fails(static_cast<ErrorCode>(123), {"no lease for you", "pool is dry"}, config);
  FakePlugin::failOn("ADD", "Segmentation fault");
  fails(ErrorCode::Internal, {"/run/plugins/fake", "Segmentation fault"}, config);
  FakePlugin::succeedOn("ADD");

  for (const auto& [answer, code, word] :
       {std::tuple{R"({"cniVersion": "1.1.0"})", ErrorCode::Internal, "missing IP config"},
        {R"({"ips": [{"address": "10.50.0.9"}]})", ErrorCode::Decode, "10.50.0.9"},
        {R"({"ips": [{"address": "10.50.0.9/24", "gateway": "fd50::1"}]})", ErrorCode::Decode, "family"},
        {"", ErrorCode::Decode, "no result"}}) {
    put("/run/plugins/result", answer);
    fails(code, {word}, config);
  }
}

TEST_CASE("A foreign ipam type: a second ADD of a living attachment does not free its addresses") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kForeign);
  resultOf(callWithPlugin("ADD", config));
  static_cast<void>(FakePlugin::calls());
  checkError(callWithPlugin("ADD", config), ErrorCode::AlreadyAttached, {"c1"});
  CHECK(FakePlugin::calls().empty());
}

TEST_CASE("A foreign ipam type: GC of a lost container and a DEL with another configuration call it as recorded") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kForeign);
  const Subject subject{.args = "K8S_POD_NAME=p"};
  {
    const Unchanged unchanged{host};
    resultOf(callWithPlugin("ADD", config, subject));
    static_cast<void>(FakePlugin::calls());
    checkSilent(callWithPlugin("DEL", configOf("1.1.0", R"("ipam": {"subnet": "10.42.0.0/24"})"), subject));
    CHECK(FakePlugin::calls() == "DEL c1 eth0 /run/netns/c1 K8S_POD_NAME=p\n");
    CHECK(FakePlugin::input("DEL") == config);

    resultOf(callWithPlugin("ADD", config, subject));
    static_cast<void>(FakePlugin::calls());
    checkSilent(callWithPlugin("GC", withValid(config, {})));
    CHECK(FakePlugin::calls() == "DEL c1 eth0 - K8S_POD_NAME=p\nGC - - - -\n");
    CHECK(FakePlugin::input("DEL") == config);
  }
}

TEST_CASE("A foreign ipam type: its own errors, with its codes, from CHECK, DEL, GC and STATUS") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kForeign);
  const Outcome added = callWithPlugin("ADD", config);
  resultOf(added);
  for (const char* verb : {"CHECK", "DEL", "GC", "STATUS"}) {
    FakePlugin::failOn(verb, std::string{R"({"code": 142, "msg": "cannot )"} + verb + R"("})");
  }
  const auto code = static_cast<ErrorCode>(142);
  checkError(callWithPlugin("CHECK", withPrevious(config, added.out)), code, {"cannot CHECK"});
  checkError(callWithPlugin("STATUS", config), code, {"cannot STATUS"});
  checkError(callWithPlugin("GC", withValid(config, {"c1"})), code, {"cannot GC"});
  // Everything else is removed; the plugin's part is left, and another DEL calls it again.
  checkError(callWithPlugin("DEL", config), code, {"cannot DEL"});
  CHECK(!contains(outputOf({"ip", "-d", "link"}), "pons demo c1"));
  CHECK(!contains(outputOf({"ip", "-n", "c1", "link"}), "eth0"));
  FakePlugin::succeedOn("DEL");
  checkSilent(callWithPlugin("DEL", config));
}

TEST_CASE("A foreign ipam type whose program is missing, or may be written by others") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kForeign);
  resultOf(callWithPlugin("ADD", config));
  const std::string nowhere = "/opt/cni/bin:/run/nowhere";
  checkError(callWithPlugin("ADD", config, {.container = "c2"}, nowhere), ErrorCode::InvalidEnvironment,
             {"fake", "CNI_PATH", "/run/nowhere"});
  checkError(callWithPlugin("ADD", config, {.container = "c2"}, ""), ErrorCode::InvalidEnvironment, {"CNI_PATH"});
  checkError(callWithPlugin("STATUS", config, {}, nowhere), ErrorCode::NotAvailable, {"fake", "/run/nowhere"});
  checkError(callWithPlugin("DEL", config, {}, nowhere), ErrorCode::InvalidEnvironment, {"fake", "/run/nowhere"});
  CHECK(!contains(outputOf({"ip", "-d", "link"}), "pons demo c1"));

  static_cast<void>(FakePlugin::calls());
  fs::permissions("/run/plugins", fs::perms::others_write, fs::perm_options::add);
  checkError(callWithPlugin("ADD", config, {.container = "c2"}), ErrorCode::Io, {"written by everybody"});
  CHECK(FakePlugin::calls().empty());
  fs::permissions("/run/plugins", fs::perms::others_write, fs::perm_options::remove);
  checkSilent(callWithPlugin("DEL", config));
  CHECK(FakePlugin::calls() == "DEL c1 eth0 /run/netns/c1 -\n");
}
