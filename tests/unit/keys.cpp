// The key table: it has what the decoders read, refuses what they cannot serve, and finds what is misspelled.
#include "plugin/cni/decode/keys.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/cni_input.h"

using namespace pons;
using namespace pons::cni;
using namespace pons::test;

namespace {

const std::string kResult =
    R"("prevResult": {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/c1"}],)"
    R"("ips": [{"address": "10.42.0.7/24", "interface": 0}]})";

const std::string kRange =
    R"({"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.2", "rangeEnd": "10.42.0.9", "gateway": "10.42.0.1"})";
const std::string kRoutes =
    R"("routes": [{"dst": "192.0.2.0/24", "gw": "10.42.0.1", "mtu": 1400, "advmss": 0, "priority": 1, "table": 254, )"
    R"("scope": 0}])";
const std::string kPorts = R"([{"hostPort": 80, "containerPort": 80, "protocol": "tcp", "hostIP": "192.0.2.1"}])";
const std::string kRates = R"({"ingressRate": 8000, "ingressBurst": 8, "egressRate": 8000, "egressBurst": 8})";
const std::string kRules =
    R"({"allowedCidrs": [], "allowedTcpPorts": [], "allowedUdpPorts": [], "allowDns": true, "logDenied": true})";

Environment environmentOf(Applet applet) {
  Environment environment = kEnvironment;
  environment.applet = applet;
  return environment;
}

/// Inputs through which the decoders of an applet come to all of their keys.
std::vector<std::string> inputsFor(Applet applet) {
  const std::string ranges = R"("ranges": [[)" + kRange + "]]";
  if (applet == Applet::HostLocal) {
    return {config(R"("ipam": {"type": "host-local", )" + ranges + ", " + kRoutes + "}")};
  }
  if (applet == Applet::Static) {
    return {config(R"("ipam": {"type": "static", "addresses": [{"address": "10.42.0.7/24", "gateway": "10.42.0.1"}], )"
                   R"("dns": {"domain": "a.test"}, )" +
                   kRoutes + "}")};
  }
  if (applet == Applet::Portmap) return {config(R"("portMappings": )" + kPorts + ", " + kResult)};
  if (applet == Applet::Pons || applet == Applet::Bridge) {
    const std::string network = R"("ipam": {)" + ranges + ", " + kRoutes + "}";
    const std::string file = R"(, "portMappings": )" + kPorts + R"(, "bandwidth": )" + kRates +
                             R"(, "egressPolicy": )" + kRules + R"(, "dns": {"domain": "a.test"})" +
                             R"(, "vlanTrunk": [{"id": 7, "minID": 8, "maxID": 9}])";
    return {config(network), config(network + file),
            config(network + R"(, "runtimeConfig": {"dns": {"domain": "a.test"}})")};
  }
  return {config(kResult), config(R"("runtimeConfig": {"bandwidth": )" + kRates + "}, " + kResult)};
}

std::set<std::string> pathsRead;  // what observeKeys() was told

const std::set<std::string>& pathsReadBy(Applet applet) {
  pathsRead.clear();
  const Environment environment = environmentOf(applet);
  observeKeys([](const std::string& path) { pathsRead.insert(path); });
  std::vector<std::string> errors;
  for (const std::string& input : inputsFor(applet)) {
    const bool isIpam = applet == Applet::HostLocal || applet == Applet::Static;
    const auto note = [&errors](const auto& request) {
      if (!request) errors.push_back(request.error().message);
    };
    isIpam ? note(parseIpamRequest(Verb::Add, environment, input, nameOf(applet)))
           : note(parseRequest(Verb::Add, environment, input));
  }
  observeKeys(nullptr);
  for (const std::string& error : errors) FAIL_CHECK(error);
  return pathsRead;
}

constexpr std::array kApplets{Applet::Pons,    Applet::Bridge,   Applet::HostLocal, Applet::Static, Applet::Loopback,
                              Applet::Portmap, Applet::Firewall, Applet::Bandwidth, Applet::Tuning};

std::vector<Key> keysOf(Applet applet) {
  std::vector<Key> keys;
  for (const KeySection& section : keySections()) {
    for (const Key& key : section.keys) {
      if ((key.applets & only(applet)) != 0) keys.push_back(key);
    }
  }
  return keys;
}

std::vector<UnknownKey> unknownIn(const std::string& input, Applet applet = Applet::Pons) {
  const auto document = json::Document::parse(input);
  REQUIRE(document.ok());
  return unknownKeys(applet, document->root());
}

/// The text of the only unknown key that is a mistake; "none" or "several".
std::string mistakeIn(const std::string& members, Applet applet = Applet::Pons) {
  std::vector<UnknownKey> found = unknownIn(config(members), applet);
  std::erase_if(found, [](const UnknownKey& key) { return key.isForeign; });
  if (found.empty()) return "none";
  return found.size() > 1 ? "several" : found[0].key + found[0].hint();
}

}  // namespace

TEST_CASE("The decoders read no key that the table lacks, and each key that it has") {
  for (const Applet applet : kApplets) {
    CAPTURE(nameOf(applet));
    std::set<std::string> rows;
    for (const std::string& path : pathsReadBy(applet)) {
      const Key* key = findKey(applet, path);
      const bool isOfList = path == "plugins";  // see refuseList()
      CHECK_MESSAGE((key != nullptr || isOfList), "not in the table: " << path);
      if (key != nullptr) rows.insert(std::string{key->path});
    }
    for (const Key& key : keysOf(applet)) {
      if (key.status == Status::OfRuntime) continue;
      CHECK_MESSAGE(rows.contains(std::string{key.path}), "not read: " << key.path);
    }
  }
}

TEST_CASE("A value of another kind than the table says is an error that names the key") {
  const std::set<Applet> ipam{Applet::HostLocal, Applet::Static};
  for (const Applet applet : kApplets) {
    if (ipam.contains(applet)) continue;
    const Environment environment = environmentOf(applet);
    for (const Key& key : keysOf(applet)) {
      const bool isTop = key.path.find('.') == std::string_view::npos;
      const bool isOfLog = key.path.starts_with("log");  // a wrong one is a warning
      if (!isTop || isOfLog || key.status == Status::OfRuntime) continue;
      CAPTURE(nameOf(applet));
      CAPTURE(key.path);
      std::string input = inputsFor(applet).front();
      input.pop_back();
      const std::string wrong = key.kind == Kind::Number ? "[]" : "7";
      const auto request =
          parseRequest(Verb::Add, environment, input + ", \"" + std::string{key.path} + "\": " + wrong + "}");
      REQUIRE_FALSE(request.ok());
      CHECK(request.error().code == ErrorCode::InvalidConfig);
      CHECK(request.error().key == key.path);
    }
  }
}

TEST_CASE("No two rows of the table are for the same key of an applet") {
  for (const Applet applet : kApplets) {
    std::set<std::string_view> paths;
    for (const Key& key : keysOf(applet)) CHECK_MESSAGE(paths.insert(key.path).second, key.path);
  }
}

TEST_CASE("Keys are found by path, whatever case, index and alias") {
  CHECK(findKey(Applet::Pons, "IPAM.Subnet")->path == "ipam.subnet");
  CHECK(findKey(Applet::Pons, "ipam.ranges[0][3].gateway")->path == "ipam.ranges[][].gateway");
  CHECK(findKey(Applet::Pons, "ipam.ranges.gateway")->path == "ipam.ranges[][].gateway");
  CHECK(findKey(Applet::Bridge, "runtimeConfig.ipRanges[0].subnet")->path == "ipam.ranges[][].subnet");
  CHECK(findKey(Applet::Portmap, "runtimeConfig.portMappings[1].HostPort")->path == "portMappings[].hostPort");
  CHECK(findKey(Applet::Pons, "args.cni.egressPolicy.allowDns")->path == "egressPolicy.allowDns");
  CHECK(findKey(Applet::Pons, "capabilities.ips")->path == "runtimeConfig.ips");
  CHECK(findKey(Applet::Tuning, "sysctl.net.ipv4.ip_forward")->path == "sysctl");
  for (const char* path : {"", ".", "ipam.", "ipam.subnet.x", "subnet", "snat", "ipamsubnet", "ipam.ranges[][]"}) {
    CAPTURE(path);
    const Key* key = findKey(Applet::Pons, path);
    CHECK((key == nullptr || key->path == "ipam.ranges"));
  }
}

TEST_CASE("A misspelled key is found wherever it stands, with the one that is probably meant") {
  CHECK(mistakeIn(R"("brige": "b0")") == R"(brige: did you mean "bridge"?)");
  CHECK(mistakeIn(R"("ipam": {"subnett": "10.42.0.0/24"})") == R"(ipam.subnett: did you mean "ipam.subnet"?)");
  CHECK(mistakeIn(R"("ipam": {"ranges": [[], [{"subnet": "10.42.0.0/24", "gatway": "10.42.0.1"}]]})") ==
        R"(ipam.ranges[1][0].gatway: did you mean "ipam.ranges[1][0].gateway"?)");
  CHECK(mistakeIn(R"("portMappings": [{"hostport": 1}, {"hostPorts": 1}])") ==
        R"(portMappings[1].hostPorts: did you mean "portMappings[1].hostPort"?)");
  CHECK(mistakeIn(R"("dns": {"nameserver": []})") == R"(dns.nameserver: did you mean "dns.nameservers"?)");
  CHECK(mistakeIn(R"("bandwidth": {"ingresRate": 1})") ==
        R"(bandwidth.ingresRate: did you mean "bandwidth.ingressRate"?)");
  CHECK(mistakeIn(R"("egressPolicy": {"allowedCidr": []})") ==
        R"(egressPolicy.allowedCidr: did you mean "egressPolicy.allowedCidrs"?)");
  CHECK(mistakeIn(R"("runtimeConfig": {"portMapping": []})") ==
        R"(runtimeConfig.portMapping: did you mean "runtimeConfig.portMappings"?)");
  CHECK(mistakeIn(R"("runtimeConfig": {"dns": {"nameservers": []}})") ==
        R"(runtimeConfig.dns.nameservers: did you mean "dns.nameservers"?)");
  CHECK(mistakeIn(R"("args": {"cni": {"ip": []}})") == "none");  // too short for a guess
  CHECK(mistakeIn(R"("capabilities": {"portmappings": true})") ==
        R"(capabilities.portmappings: did you mean "capabilities.portMappings"?)");
  CHECK(mistakeIn(R"("ipam": {"type": "static", "addreses": []})", Applet::Bridge) ==
        R"(ipam.addreses: did you mean "ipam.addresses"?)");
  CHECK(mistakeIn(R"("ipam": {"type": "host-local", "datadir": "", "dataDirs": ""})", Applet::HostLocal) ==
        R"(ipam.dataDirs: did you mean "ipam.dataDir"?)");
}

TEST_CASE("A key in the wrong object, or of another plugin") {
  CHECK(mistakeIn(R"("subnet": "10.42.0.0/24")") == R"(subnet: did you mean "ipam.subnet"?)");
  CHECK(mistakeIn(R"("ipam": {"ipMasq": true})") == R"(ipam.ipMasq: did you mean "ipMasq"?)");
  CHECK(mistakeIn(R"("snat": true)") == R"(snat: it is a key of type "portmap")");
  CHECK(mistakeIn(R"("internal": true)", Applet::Bridge) == R"(internal: it is a key of type "pons")");
  CHECK(mistakeIn(R"("ipam": {"addresses": []})") == R"(ipam.addresses: it is a key of type "static")");
  CHECK(mistakeIn(R"("ipam": {"type": "static", "subnet": ""})") == R"(ipam.subnet: it is a key of type "pons")");
  CHECK(mistakeIn(R"("somethingElse": 1)") == "somethingElse");
}

TEST_CASE("Keys of runtimes, of other plugins, and comments are no mistakes") {
  for (const char* members :
       {R"("capabilities": {"portMappings": true, "aliases": true, "io.kubernetes.cri.pod-annotations": true})",
        R"("runtimeConfig": {"aliases": {"x": []}, "cgroupPath": "/x", "infinibandGUID": "x", "deviceID": "x"})",
        R"("args": {"labels": {"a": "b"}, "cni": {"anything": 1}})", R"("nerdctlID": "x", "nerdctlLabels": {})",
        R"("_comment": "x", "$schema": "x", "#": "x", "//": "x", "x-vendor": 1, "ipam": {"_why": "x"})",
        R"("cni.dev/valid-attachments": [{"containerID": "x", "ifname": "y"}], "disableCheck": true)",
        R"("brige": null, "ipam": {"type": "dhcp", "daemonSocketPath": "/run/x", "subnett": 1})",
        R"("prevResult": {"interfaces": [], "whatever": 1})"}) {
    CAPTURE(members);
    CHECK(mistakeIn(members) == "none");
  }
  CHECK(mistakeIn(R"("sysctl": {"net.core.somaxconn": "500"}, "dataDir": "/x")", Applet::Tuning) == "none");
  // As an IPAM plugin: the others are the main plugin's.
  CHECK(mistakeIn(R"("master": "eth0", "ipam": {"type": "host-local"})", Applet::HostLocal) == "none");
}

TEST_CASE("Many unknown keys and long ones are found in time, and not all told") {
  std::string members = "\"" + std::string(1'000'000, 'x') + "\": 1";
  for (int i = 0; i < 100'000; ++i) members += ", \"bridgf" + std::to_string(i) + "\": 1";
  const std::vector<UnknownKey> found = unknownIn(config(members));
  CHECK(found.size() == 100);
  CHECK(found.front().isForeign);
  CHECK(found.back().key == "bridgf98");
}

TEST_CASE("The examples, and other projects' configurations, have no unknown keys") {
  std::size_t plugins = 0;
  for (const char* directory : {"/conf-examples", "/tests/compat/conflists"}) {
    for (const auto& file : std::filesystem::directory_iterator{std::string{PONS_SOURCE_DIR} + directory}) {
      CAPTURE(file.path());
      std::ifstream stream{file.path()};
      const auto document = json::Document::parse(std::string{std::istreambuf_iterator<char>{stream}, {}});
      REQUIRE(document.ok());
      std::vector<json::Value> objects = document->root()["plugins"].items();
      if (objects.empty()) objects.push_back(document->root());
      for (const json::Value& plugin : objects) {
        const Applet applet = appletOf(plugin["type"].string().value_or(""));
        if (plugin["type"].string() != nameOf(applet)) continue;  // flannel
        ++plugins;
        CHECK(unknownKeys(applet, plugin).empty());
      }
    }
  }
  CHECK(plugins > 40);
}

TEST_CASE("A key whose value pons cannot serve is refused with the table's reason, and its neutral values are not") {
  const auto codeFor = [](Applet applet, const std::string& members) {
    return addCode(config(members + ", " + kResult), environmentOf(applet));
  };
  for (const Applet applet : kApplets) {
    for (const Key& key : keysOf(applet)) {
      if (key.reason.empty()) continue;
      CAPTURE(nameOf(applet));
      CAPTURE(key.path);
      const std::string name = "\"" + std::string{key.path} + "\": ";
      const std::string other = key.kind == Kind::Boolean  ? "false"
                                : key.kind == Kind::Number ? std::to_string(key.max)
                                : key.kind == Kind::List   ? "[\"x\"]"
                                                           : "\"x\"";
      CHECK(codeFor(applet, name + other) == 2);
      CHECK(codeFor(applet, name + std::string{key.accepted.front()}) == 0);
      CHECK(codeFor(applet, name + "null") == 0);
    }
  }
}

TEST_CASE("A whole configuration list is refused, but not by DEL and GC") {
  const std::string list = config(R"("plugins": [{"type": "pons", "ipam": {"subnet": "10.42.0.0/24"}}])");
  for (const Applet applet : kApplets) {
    if (applet == Applet::HostLocal || applet == Applet::Static) continue;
    CAPTURE(nameOf(applet));
    const Environment environment = environmentOf(applet);
    for (const Verb verb : {Verb::Add, Verb::Check}) {
      const auto request = parseRequest(verb, environment, list);
      REQUIRE_FALSE(request.ok());
      CHECK(request.error().code == ErrorCode::InvalidConfig);
      CHECK(request.error().key == "plugins");
      CHECK(request.error().message.find("cnitool") != std::string::npos);
    }
    CHECK_FALSE(parseNetworkRequest(Verb::Status, environment, list).ok());
    const auto del = parseRequest(Verb::Del, environment, list);
    REQUIRE(del.ok());
    CHECK(del->config.ignored.size() == 1);
    CHECK(del->mistakes.empty());
    CHECK(parseNetworkRequest(Verb::Gc, environment, list)->config.ignored.size() == 1);
  }
  CHECK(parseIpamRequest(Verb::Add, kEnvironment, list, "host-local").error().key == "plugins");
  CHECK(addCode(config(R"("plugins": {})")) == 0);  // no list, but a mistake
}
