// Delegated IPAM plugins: programs in CNI_PATH, with every verb.
#include <filesystem>
#include <tuple>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

namespace fs = std::filesystem;

/// An IPAM plugin that logs every call, prints the given result, and fails on demand.
class FakePlugin {
 public:
  explicit FakePlugin(const std::string& result) {
    fs::create_directories("/run/plugins");
    setContent("/run/plugins/fake", R"(#!/bin/sh
cat > /run/plugins/stdin.$CNI_COMMAND
env > /run/plugins/env.$CNI_COMMAND
cat /proc/self/status > /run/plugins/status.$CNI_COMMAND
echo "$CNI_COMMAND ${CNI_CONTAINERID:--} ${CNI_IFNAME:--} ${CNI_NETNS:--} ${CNI_ARGS:--}" >> /run/plugins/calls
if [ -f /run/plugins/fail.$CNI_COMMAND ]; then cat /run/plugins/fail.$CNI_COMMAND; exit 1; fi
if [ "$CNI_COMMAND" = ADD ]; then cat /run/plugins/result; fi
)");
    fs::permissions("/run/plugins/fake", static_cast<fs::perms>(0755));
    setContent("/run/plugins/result", result);
  }

  /// The calls since the previous call of this function.
  static std::string calls() {
    const std::string text = contentOf("/run/plugins/calls");
    fs::remove("/run/plugins/calls");
    return text;
  }
  static void failOn(const std::string& verb, const std::string& answer) {
    setContent("/run/plugins/fail." + verb, answer);
  }
  static void succeedOn(const std::string& verb) { fs::remove("/run/plugins/fail." + verb); }
  static std::string input(const std::string& verb) { return contentOf("/run/plugins/stdin." + verb); }
  static std::string environment(const std::string& verb) { return contentOf("/run/plugins/env." + verb); }
};

const std::string kGiven =
    R"({"cniVersion": "1.1.0", "ips": [{"address": "10.50.0.9/24", "gateway": "10.50.0.1"}, {"address": "fd50::9/64"}],)"
    R"( "routes": [{"dst": "10.60.0.0/16", "gw": "10.50.0.1"}], "dns": {"nameservers": ["10.50.0.53"]}})";
const std::string kDelegated = R"("ipam": {"type": "fake", "range": "10.50.0.0/24"})";

/// With the plugin's directory in CNI_PATH, and with variables that a plugin inherits and others that it must not.
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

TEST_CASE("Delegated IPAM: the plugin allocates the addresses and is called with every verb") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
  const Subject subject{.args = "IgnoreUnknown=1;K8S_POD_NAME=p"};
  const std::string call = " c1 eth0 /run/netns/c1 IgnoreUnknown=1;K8S_POD_NAME=p\n";

  const Outcome added = callWithPlugin("ADD", config, subject);
  const auto result = resultOf(added);
  CHECK(addressIn(result) == "10.50.0.9");
  CHECK(result["ips"].items().size() == 2);
  CHECK(textOf(result["dns"]["nameservers"].items().at(0)) == "10.50.0.53");
  CHECK(FakePlugin::calls() == "ADD" + call);
  CHECK(FakePlugin::input("ADD") == config);
  const std::string environment = FakePlugin::environment("ADD");
  CHECK(contains(environment, "KUBECONFIG=/etc/kube\n"));
  CHECK(contains(environment, "CNI_PATH=/opt/cni/bin:/run/plugins\n"));
  for (const char* never : {"LD_PRELOAD", "BASH_ENV"}) CHECK(!contains(environment, never));
  const std::string routes = outputOf({"ip", "-n", "c1", "route"});
  CHECK_MESSAGE(contains(routes, "10.60.0.0/16 via 10.50.0.1"), routes);

  const std::string checked = withPrevious(config, added.out);
  checkSilent(callWithPlugin("CHECK", checked, subject));
  CHECK(FakePlugin::calls() == "CHECK" + call);
  CHECK(FakePlugin::input("CHECK") == checked);
  checkSilent(callWithPlugin("STATUS", config));
  CHECK(FakePlugin::calls() == "STATUS - - - -\n");
  const std::string kept = withValid(config, {"c1"});
  checkSilent(callWithPlugin("GC", kept));
  CHECK(FakePlugin::calls() == "GC - - - -\n");
  CHECK(FakePlugin::input("GC") == kept);

  checkSilent(callWithPlugin("DEL", checked, subject));
  CHECK(FakePlugin::calls() == "DEL" + call);
  CHECK(FakePlugin::input("DEL") == checked);
  // Without a record DEL is still delegated: the plugin may have a lease.
  checkSilent(callWithPlugin("DEL", config, subject));
  CHECK(FakePlugin::calls() == "DEL" + call);
}

TEST_CASE("Delegated IPAM: in the directory that pons was started from a plugin may be anybody's") {
  REQUIRE_FAKE_HOST(host);
  for (const char* container : {"c1", "c2"}) host.addNamespace(container);
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
  fs::create_directories("/run/opt/bin");
  fs::create_directories("/run/libexec");
  fs::copy(PONS_BINARY, "/run/libexec/pons");
  fs::create_symlink("/run/libexec/pons", "/run/opt/bin/pons");  // as the applets are installed
  fs::rename("/run/plugins/fake", "/run/opt/bin/fake");
  const auto callFrom = [&](const std::string& directory, const std::string& verb, const std::string& container) {
    auto environment = environmentOf(verb, {.container = container, .netns = "/run/netns/" + container});
    std::erase(environment, "CNI_PATH=/opt/cni/bin");
    environment.push_back("CNI_PATH=/run/opt/bin");
    return run({directory}, {.environment = environment, .input = config});
  };
  for (const char* foreign : {"/run/opt", "/run/opt/bin", "/run/opt/bin/fake"}) {
    CAPTURE(foreign);
    REQUIRE(chown(foreign, 1001, 127) == 0);
    resultOf(callFrom("/run/opt/bin/pons", "ADD", "c1"));
    checkSilent(callFrom("/run/opt/bin/pons", "DEL", "c1"));
    checkError(callFrom("/run/libexec/pons", "ADD", "c2"), ErrorCode::Io, {"belongs to user 1001"});
    REQUIRE(chown(foreign, 0, 0) == 0);
  }
}

TEST_CASE("Delegated IPAM: the plugin has the reduced capabilities of pons and no_new_privs") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  resultOf(callWithPlugin("ADD", configOf("1.1.0", kDelegated)));
  const std::string status = contentOf("/run/plugins/status.ADD");
  // chown, dac_override, fowner, net_bind_service, net_admin, net_raw, sys_ptrace, sys_admin
  for (const char* line :
       {"CapPrm:\t000000000028340b\n", "CapEff:\t000000000028340b\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"}) {
    CHECK_MESSAGE(status.find(line) != std::string::npos, line);
  }
  checkSilent(callWithPlugin("DEL", configOf("1.1.0", kDelegated)));
}

TEST_CASE("Delegated IPAM: if ADD fails after that of the plugin, DEL of the plugin is called once") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
  const std::string both = "ADD c1 eth0 /run/netns/c1 -\nDEL c1 eth0 /run/netns/c1 -\n";
  const auto fails = [&](ErrorCode code, const std::vector<std::string>& words, const std::string& input) {
    const Unchanged unchanged{host};
    checkError(callWithPlugin("ADD", input), code, words);
    CHECK(FakePlugin::calls() == both);
  };
  shell("ip -n c1 link add eth0 type bridge");
  fails(ErrorCode::InvalidConfig, {"eth0"}, config);
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
        {"", ErrorCode::Decode, "invalid result"}}) {
    setContent("/run/plugins/result", answer);
    fails(code, {word}, config);
  }
}

TEST_CASE("Delegated IPAM: a second ADD of an active attachment does not free its addresses") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
  resultOf(callWithPlugin("ADD", config));
  static_cast<void>(FakePlugin::calls());
  checkError(callWithPlugin("ADD", config), ErrorCode::AlreadyAttached, {"c1"});
  CHECK(FakePlugin::calls().empty());
}

TEST_CASE("Delegated IPAM: GC of a dead container and DEL with another configuration call the plugin as recorded") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
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

TEST_CASE("Delegated IPAM: code and details of the plugin's error arrive unchanged, by every verb") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
  for (const int code : {7, 11, 100, 142}) {
    CAPTURE(code);
    const Unchanged unchanged{host};
    const auto failOn = [code](const std::string& verb) {
      FakePlugin::failOn(verb, R"({"code": )" + std::to_string(code) + R"(, "msg": "cannot )" + verb +
                                   R"(", "details": "why not )" + verb + "\"}");
    };
    const auto checkPassed = [code](const Outcome& outcome, const std::string& verb) {
      checkError(outcome, static_cast<ErrorCode>(code), {"cannot " + verb});
      CHECK(textOf(documentOf(outcome)["details"]) == "why not " + verb);
    };
    failOn("ADD");
    checkPassed(callWithPlugin("ADD", config), "ADD");
    FakePlugin::succeedOn("ADD");
    const Outcome added = callWithPlugin("ADD", config);
    resultOf(added);

    for (const char* verb : {"CHECK", "DEL", "GC", "STATUS"}) failOn(verb);
    checkPassed(callWithPlugin("CHECK", withPrevious(config, added.out)), "CHECK");
    checkPassed(callWithPlugin("STATUS", config), "STATUS");
    checkPassed(callWithPlugin("GC", withValid(config, {"c1"})), "GC");
    // Of several errors the first one decides.
    const Outcome collected = callWithPlugin("GC", withValid(config, {}));
    checkPassed(collected, "DEL");
    checkError(collected, static_cast<ErrorCode>(code), {"cannot GC"});
    // Everything else is removed; another DEL calls the plugin again.
    checkPassed(callWithPlugin("DEL", config), "DEL");
    CHECK(!contains(outputOf({"ip", "-d", "link"}), "pons demo c1"));
    CHECK(!contains(outputOf({"ip", "-n", "c1", "link"}), "eth0"));
    for (const char* verb : {"CHECK", "DEL", "GC", "STATUS"}) FakePlugin::succeedOn(verb);
    checkSilent(callWithPlugin("DEL", config));
  }
}

TEST_CASE("Delegated IPAM: a misspelt type of pons' own is an error with a hint, until it is corrected") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const auto ofType = [](const std::string& type) { return configOf("1.1.0", R"("ipam": {"type": ")" + type + "\"}"); };
  for (const auto& [type, meant] : {std::pair{"hostlocal", "host-local"}, std::pair{"statik", "static"}}) {
    const std::vector<std::string> words{"there is no program " + std::string{type},
                                         "did you mean \"" + std::string{meant} + "\"?"};
    checkError(callWithPlugin("ADD", ofType(type)), ErrorCode::InvalidEnvironment, words);
    // As with the reference plugins: a program that is missing may have given an address.
    checkError(callWithPlugin("DEL", ofType(type)), ErrorCode::InvalidEnvironment, words);
    checkSilent(callWithPlugin("DEL", ofType(meant)));
  }
}

TEST_CASE("Delegated IPAM: a plugin that is missing or writable by others is not executed") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const FakePlugin plugin{kGiven};
  const std::string config = configOf("1.1.0", kDelegated);
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
  checkError(callWithPlugin("ADD", config, {.container = "c2"}), ErrorCode::Io, {"writable by all users"});
  const Outcome removed = callWithPlugin("DEL", config);  // a runtime would repeat a failed one for ever
  CHECK(removed.exitCode == 0);
  CHECK(contains(removed.err, "the address of container c1 stays leased"));
  CHECK(FakePlugin::calls().empty());
  fs::permissions("/run/plugins", fs::perms::others_write, fs::perm_options::remove);
  checkSilent(callWithPlugin("DEL", config));
  CHECK(FakePlugin::calls() == "DEL c1 eth0 /run/netns/c1 -\n");
}
