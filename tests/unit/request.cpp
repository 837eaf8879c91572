#include "plugin/cni/decode/request.h"

#include <map>
#include <tuple>

#include <doctest/doctest.h>

#include "plugin/cni/decode/requested.h"

#include "tests/support/cni_input.h"

namespace {

using namespace pons::cni;
using namespace pons::test;

Environment with(std::string Environment::*variable, std::string value) {
  Environment environment = kEnvironment;
  environment.*variable = std::move(value);
  return environment;
}

unsigned codeOf(Verb verb, std::string_view input, const Environment& environment = kEnvironment) {
  const auto request = parseRequest(verb, environment, input);
  return request ? 0 : static_cast<unsigned>(request.error().code);
}

}  // namespace

TEST_CASE("the environment is read through a lookup; unset and empty are the same") {
  const std::map<std::string, std::string> variables{{"CNI_COMMAND", "ADD"}, {"CNI_IFNAME", ""}, {"CNI_NETNS", "/n"}};
  const auto environment = Environment::read([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
  CHECK(environment.command == "ADD");
  CHECK(environment.netns == "/n");
  CHECK(environment.ifName.empty());
  CHECK(environment.containerId.empty());
}

TEST_CASE("the verb: none, one of CNI's, or error 4") {
  const auto verb = [](const char* command) { return verbOf(with(&Environment::command, command)); };
  CHECK_FALSE(verb("")->has_value());
  CHECK(**verb("ADD") == Verb::Add);
  CHECK(**verb("DEL") == Verb::Del);
  CHECK(**verb("CHECK") == Verb::Check);
  CHECK(**verb("GC") == Verb::Gc);
  CHECK(**verb("STATUS") == Verb::Status);
  CHECK(**verb("VERSION") == Verb::Version);
  for (const char* command : {"add", "ADD ", "INSTALL"}) {
    REQUIRE_FALSE(verb(command).ok());
    CHECK(verb(command).error().code == ErrorCode::InvalidEnvironment);
    CHECK(verb(command).error().message == std::string{"unknown CNI_COMMAND: "} + command);
  }
  CHECK(nameOf(Verb::Status) == "STATUS");
}

TEST_CASE("a whole request") {
  const auto request = add(configWithIpam(""));
  REQUIRE(request.ok());
  CHECK(request->verb == Verb::Add);
  CHECK(request->version == Version::V1_1_0);
  CHECK(request->key.toString() == "demo c1 eth0");
  CHECK(request->netnsPath == "/run/netns/c1");
  CHECK_FALSE(request->previous.has_value());
}

TEST_CASE("missing variables are named together, before anything else is looked at") {
  const auto request = parseRequest(Verb::Add, Environment{}, "nonsense");
  REQUIRE_FALSE(request.ok());
  CHECK(request.error().code == ErrorCode::InvalidEnvironment);
  CHECK(request.error().message == "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing");
  CHECK(parseRequest(Verb::Del, Environment{}, "").error().message ==
        "required env variables [CNI_CONTAINERID,CNI_IFNAME] missing");
  CHECK(codeOf(Verb::Check, configWithIpam(""), with(&Environment::netns, "")) == 4);
  CHECK(codeOf(Verb::Del, configWithIpam(""), with(&Environment::netns, "")) == 0);
}

TEST_CASE("a container id that could leave its directory is refused") {
  for (const std::string id : {"../x", "/abs", "a/b", "..", ".hidden", "-x", "_x", "a b", "a\n", "a\xc3\xa9", "a:b"}) {
    CAPTURE(id);
    const auto request = add(configWithIpam(""), with(&Environment::containerId, id));
    REQUIRE_FALSE(request.ok());
    CHECK(request.error().code == ErrorCode::InvalidEnvironment);
    CHECK(request.error().message == "invalid characters in containerID");
    CHECK(request.error().details == "CNI_CONTAINERID=" + id);
  }
  CHECK(addCode(configWithIpam(""), with(&Environment::containerId, std::string(200, 'a'))) == 0);
  CHECK(addCode(configWithIpam(""), with(&Environment::containerId, std::string(201, 'a'))) == 4);
  CHECK(addCode(configWithIpam(""), with(&Environment::containerId, "default-0_1.2-x")) == 0);
}

TEST_CASE("a network name that could leave its directory is refused") {
  for (const std::string name : {"../x", "a/b", "..", ".a", "-a", "a b", "a\\n", "\\u0000"}) {
    CAPTURE(name);
    CHECK(addCode(R"({"cniVersion":"1.1.0","name":")" + name + "\"}") == 7);
  }
}

TEST_CASE("an interface name is what the kernel takes") {
  for (const std::string name : {".", "..", "a/b", "a:b", "a b", "a\t", "sixteen-bytes-xx"}) {
    CAPTURE(name);
    CHECK(addCode(configWithIpam(""), with(&Environment::ifName, name)) == 4);
  }
  CHECK(addCode(configWithIpam(""), with(&Environment::ifName, "fifteen-bytes-x")) == 0);
}

TEST_CASE("input that is no configuration: error 6") {
  for (const std::string_view input : {"", " ", "null", "[]", "{", "{}x", "\xef\xbb\xbf{}", "# comment\n{}", "\"x\""}) {
    CAPTURE(input);
    for (const Verb verb : {Verb::Add, Verb::Del, Verb::Check}) CHECK(codeOf(verb, input) == 6);
  }
  CHECK(addCode(config("\"a\": " + std::string(100, '[') + std::string(100, ']'))) == 6);
}

TEST_CASE("input is limited to 4 MiB: error 5 beyond") {
  const std::string whole = configWithIpam("");
  CHECK(addCode(whole + std::string(kMaxInput - whole.size(), ' ')) == 0);
  CHECK(addCode(whole + std::string(kMaxInput - whole.size() + 1, ' ')) == 5);
}

TEST_CASE("name is required: error 7") {
  CHECK(add(R"({"cniVersion":"1.1.0"})").error().message == "missing network name");
  for (const char* name : {"null", "\"\"", "7", "{}", "[\"demo\"]"}) {
    CHECK(addCode(R"({"cniVersion":"1.1.0","name":)" + std::string{name} + "}") == 7);
  }
}

TEST_CASE("cniVersion is exactly one of ours: error 1 otherwise") {
  const auto request = add(R"({"cniVersion":"9.9.9","name":"demo"})");
  REQUIRE_FALSE(request.ok());
  CHECK(request.error().code == ErrorCode::IncompatibleVersion);
  CHECK(request.error().message == "incompatible CNI versions");
  CHECK(request.error().details ==
        R"(config is "9.9.9", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"])");
  CHECK(codeOf(Verb::Del, R"({"cniVersion":"9.9.9","name":"demo"})") == 1);
  CHECK(addCode(R"({"cniVersion":1,"name":"demo"})") == 7);
  CHECK(add(R"({"name":"demo","ipam":{"subnet":"10.42.0.0/24"}})")->version == Version::V0_1_0);
  CHECK(add(R"({"cniVersion":"","name":"demo","ipam":{"subnet":"10.42.0.0/24"}})")->version == Version::V0_1_0);
}

TEST_CASE("CHECK came with 0.4.0") {
  for (const std::string version : {"", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    CAPTURE(version);
    const std::string input = R"({"name":"demo","ipam":{"subnet":"10.42.0.0/24"},"cniVersion":")" + version + "\"}";
    CHECK(codeOf(Verb::Check, input) == (version < "0.4.0" ? 1 : 0));
  }
}

TEST_CASE("CNI_ARGS: pairs with exactly one '='; unknown keys are for others") {
  CHECK(parseCniArgs("").ok());
  const auto args = parseCniArgs("IgnoreUnknown=1;K8S_POD_NAME=c;IP=10.96.0.77;MAC=;FOO=");
  REQUIRE(args.ok());
  CHECK(args->ip == "10.96.0.77");
  CHECK(args->mac.empty());
  CHECK(parseCniArgs("ip=10.42.0.7")->ip.empty());
  for (const std::string text : {"FOO", "FOO=a=b", "IP=1;", ";", "=;x"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parseCniArgs(text).ok());
    CHECK(parseCniArgs(text).error().code == ErrorCode::InvalidEnvironment);
  }
  CHECK(parseCniArgs("A=1;FOO=a=b").error().message == "ARGS: invalid pair \"FOO=a=b\"");
  CHECK(addCode(configWithIpam(""), with(&Environment::args, "FOO")) == 4);
}

TEST_CASE("the pod is namespace and name in CNI_ARGS, for every applet; an invalid one is ignored with a message") {
  const std::string longest(253, 'a');
  const std::tuple<std::string, std::string, bool> all[] = {
      {"K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0", "default/web-0", true},
      {"K8S_POD_NAME=web-0;IP=;K8S_POD_NAMESPACE=My_net.1", "My_net.1/web-0", true},
      {"K8S_POD_NAMESPACE=default;K8S_POD_NAME=" + longest, "default/" + longest, true},
      {"K8S_POD_NAMESPACE=default;K8S_POD_NAME=" + longest + "a", "", false},
      {"K8S_POD_NAMESPACE=default;K8S_POD_NAME=a/b", "", false},
      {"K8S_POD_NAMESPACE=\n;K8S_POD_NAME=b", "", false},
      {"K8S_POD_NAMESPACE=default", "", true},
      {"K8S_POD_NAMESPACE=;K8S_POD_NAME=b", "", true},
      {"", "", true},
      {"FOO", "", true},  // refused by who needs another of the arguments
  };
  for (const auto& [args, pod, isValid] : all) {
    CAPTURE(args);
    std::vector<Error> ignored;
    CHECK(decodePod(with(&Environment::args, args), ignored) == pod);
    CHECK(ignored.empty() == isValid);
  }
  Environment environment = with(&Environment::args, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0");
  CHECK(add(configWithIpam(""), environment)->config.pod == "default/web-0");
  environment.applet = pons::cni::Applet::Portmap;
  CHECK(add(config(R"("prevResult": {"cniVersion": "1.1.0"})"), environment)->config.pod == "default/web-0");
}

TEST_CASE("DEL looks at nothing that it does not need") {
  for (const std::string_view members :
       {R"("ipam": 7)", R"("ipam": {"type": "a/b"})", R"("portMappings": "x")", R"("prevResult": 7)",
        R"("runtimeConfig": {"portMappings": [{"hostPort": 0}], "mac": 7})", R"("mtu": "big")", R"("bridge": "a/b")",
        R"("dns": [])", R"("args": 7)", R"("vlan": 4095)", R"("isGateway": "yes")"}) {
    CAPTURE(members);
    CHECK(codeOf(Verb::Del, config(members)) == 0);
    CHECK(addCode(config(members)) != 0);
  }
  CHECK(codeOf(Verb::Del, config(""), with(&Environment::args, "nonsense")) == 0);

  const auto request = parseRequest(Verb::Del, kEnvironment, config(R"("stateDir": "/srv/pons", "lockTimeout": 5)"));
  REQUIRE(request.ok());
  CHECK(request->config.settings.stateDir == "/srv/pons");
  CHECK(request->config.settings.lockTimeout == std::chrono::seconds{5});

  for (const std::string_view mistake :
       {R"("stateDir": "relative")", R"("logLevel": "loud")", R"("logFile": "pons.log")", R"("lockTimeout": 0)",
        R"("bridge": "a/b")", R"("ipam": 7)", R"("prevResult": 7)"}) {
    CAPTURE(mistake);
    const auto mistaken = parseRequest(Verb::Del, kEnvironment, config(mistake));
    REQUIRE(mistaken.ok());
    CHECK(mistaken->config.settings == Settings{});
    CHECK(mistaken->config.ignored.size() == 1);
  }
}

TEST_CASE("prevResult is decoded with the request: error 6 where it cannot be") {
  CHECK(add(configWithIpam(R"("prevResult": {"interfaces": [{"name": "lo"}]})"))->previous->interfaces.size() == 1);
  CHECK_FALSE(add(configWithIpam(R"("prevResult": null)"))->previous.has_value());
  CHECK(addCode(configWithIpam(R"("prevResult": "x")")) == 6);
}

TEST_CASE("an error answers in the version of its input, or in the newest") {
  CHECK(versionForErrors(R"({"cniVersion":"0.4.0"})") == "0.4.0");
  CHECK(versionForErrors(R"({})") == "0.1.0");
  CHECK(versionForErrors(R"({"cniVersion":"9.9.9"})") == "1.1.0");
  CHECK(versionForErrors("nonsense") == "1.1.0");
  CHECK(versionForErrors("") == "1.1.0");
}

TEST_CASE("no cut and no changed byte of a request crashes or hangs") {
  const std::string whole = configWithIpam(
      R"("runtimeConfig":{"ips":["10.42.0.7/24"],"portMappings":[{"HostPort":80,"ContainerPort":80}],"mac":""},)"
      R"("prevResult":{"interfaces":[{"name":"lo"}],"ips":[{"interface":0,"address":"127.0.0.1/8"}]},"mtu":"auto")");
  REQUIRE(addCode(whole) == 0);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(addCode(whole.substr(0, i)) == 6);
    for (const char byte : {'\0', '"', '{', ']', '9', '\xff'}) {
      std::string changed = whole;
      changed[i] = byte;
      CHECK(addCode(changed) <= 999);
    }
  }
}
