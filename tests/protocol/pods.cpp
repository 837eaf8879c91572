// The pod of a container, which the runtime names in CNI_ARGS: kept in the record, and named by errors about it.
#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kShortId = "0123456789ab";
const std::string kLongId = kShortId + std::string(52, 'c');
const std::string kIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";

std::string argsOf(const std::string& space, const std::string& pod) {
  return "IgnoreUnknown=1;K8S_POD_NAMESPACE=" + space + ";K8S_POD_NAME=" + pod + ";K8S_POD_UID=7";
}

Subject inPod(const std::string& container, const std::string& pod) {
  Subject subject = subjectOf(container);
  subject.args = argsOf("default", pod);
  return subject;
}

}  // namespace

TEST_CASE(
    "A refused port or address names the pod of the container that has it, and a container without one by its ID") {
  REQUIRE_FAKE_HOST(host);
  for (const std::string& container : {kLongId, std::string{"c2"}, std::string{"c3"}}) host.addNamespace(container);
  const Network demo{"demo", kIpam};
  const std::string published = demo.config(publishing({{8080, 80}}));
  const std::string address = addressIn(resultOf(add(published, inPod(kLongId, "web-0"))));
  const std::string holder = "default/web-0 (container " + kShortId + ", eth0) of network demo";
  {
    const Unchanged unchanged{host};
    checkError(add(published, inPod("c2", "web-1")), ErrorCode::InvalidConfig,
               {"host port 8080/tcp on 0.0.0.0 is published by " + holder});
    Subject wanting = inPod("c2", "web-1");
    wanting.args += ";IP=" + address;
    checkError(add(demo.config(), wanting), ErrorCode::InvalidConfig, {address + " is leased to " + holder});
    checkError(add(published, inPod(kLongId, "web-0")), ErrorCode::AlreadyAttached,
               {"default/web-0 (container " + kShortId + ") is already attached to network demo"});
  }
  resultOf(add(demo.config(publishing({{8081, 80}})), subjectOf("c2")));
  checkError(add(demo.config(publishing({{8081, 80}})), inPod("c3", "web-2")), ErrorCode::InvalidConfig,
             {"published by container c2 (eth0) of network demo"});
  checkSilent(del(published, subjectOf(kLongId)));
  resultOf(add(published, inPod("c3", "web-2")));
  checkError(add(published, inPod(kLongId, "web-0")), ErrorCode::InvalidConfig, {"default/web-2 (container c3, eth0)"});
}

TEST_CASE("Chained plugins keep the pod as well, whichever of the containers comes first") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const Link bridge{"bridge", kIpam};
  const Link ports{"portmap", publishing({{8080, 80}})};
  for (const bool reversed : {false, true}) {
    CAPTURE(reversed);
    FakeHost host;
    for (const char* container : {"c1", "c2"}) host.addNamespace(container);
    const Plugins plugins;
    const Subject first = reversed ? inPod("c2", "web-2") : inPod("c1", "web-1");
    const Subject second = reversed ? inPod("c1", "web-1") : inPod("c2", "web-2");
    Chain{{bridge, ports}}.add(first);
    const Outcome added = Plugins::call("bridge", "ADD", bridge.config(), second);
    resultOf(added);
    checkError(Plugins::call("portmap", "ADD", withPrevious(ports.config(), added.out), second),
               ErrorCode::InvalidConfig,
               {std::string{reversed ? "default/web-2 (container c2" : "default/web-1 (container c1"} +
                ", eth0) of network demo, plugin portmap"});
  }
}

TEST_CASE("A strange name of a pod fails no ADD: it is left out, and the log says so") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::pair<std::string, bool> all[] = {
      {argsOf("default", "web 0"), false},
      {argsOf("default", "a/b"), false},
      {argsOf("\xff", "web-0"), false},
      {argsOf("default", std::string(254, 'a')), false},
      {argsOf("default", std::string(253, 'a')), true},
      {argsOf("my_Net", "web.0"), true},
      {argsOf("default", ""), true},  // no pod: nothing to say
      {"K8S_POD_NAME=web-0", true},
  };
  for (const auto& [args, isSilent] : all) {
    CAPTURE(args);
    FakeHost host;
    host.addNamespace("c1");
    const Network demo{"demo", kIpam};
    Subject subject = subjectOf("c1");
    subject.args = args;
    const Outcome added = add(demo.config(), subject);
    resultOf(added);
    CHECK(contains(added.err, "K8S_POD_NAME") != isSilent);
    const std::string pod = contains(args, "web.0") ? "my_Net/web.0" : "default/" + std::string(253, 'a');
    const bool isKept = contains(args, "web.0") || contains(args, "=" + std::string(253, 'a') + ";");
    const std::string record = contentOf(recordOf(demo, "c1"));
    CHECK(contains(record, "\"pod\"") == isKept);
    if (isKept) CHECK(contains(record, "\"pod\": \"" + pod + "\""));
    checkSilent(demo.del("c1"));
  }
}
