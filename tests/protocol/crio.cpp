// What CRI-O calls, one call after the other: it is in no Debian release.
#include <functional>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kIpam = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";
/// The burst that CRI-O computes for a pod's annotations.
const std::string kLimits = R"(, "runtimeConfig": {"bandwidth": {"ingressRate": 8000000, "ingressBurst": 34359738359,
                               "egressRate": 8000000, "egressBurst": 34359738359}})";

/// CRI-O and its cache: of each pod the configuration of its ADD, and the result.
class Crio {
 public:
  explicit Crio(FakeHost& host) : host_(host) {}

  /// Today's file.
  void configure(const std::string& members) { file_ = configOf(members); }

  /// VERSION, STATUS every 0.5 s until it succeeds (the number of calls), GC, CHECK of every pod.
  int start() {
    Subject dummy{.container = "dummy", .netns = "dummy", .ifName = "dummy"};
    const auto version = documentOf(call("VERSION", R"({"cniVersion": "1.1.0"})", dummy));
    CHECK(textOf(version["cniVersion"]) == "1.1.0");
    int asked = 1;
    while (!status().ok() && asked < 4) {
      ++asked;
      if (onNotReady) onNotReady(asked);
    }
    checkSilent(gc());
    const std::string before = host_.dump() + ledgerText();
    for (const auto& [pod, cached] : pods_) checkPod(pod);
    CHECK(host_.dump() + ledgerText() == before);
    return asked;
  }
  std::function<void(int asked)> onNotReady;

  Outcome status() const { return callForNetwork("STATUS", file_); }

  /// ADD, and CHECK at once.
  std::string run(const std::string& pod) {
    host_.addNamespace(pod);
    const std::string config = file_.substr(0, file_.rfind('}')) + kLimits + "}";
    const Outcome added = add(config, subject(pod));
    const std::string address = addressIn(resultOf(added));
    pods_[pod] = withPrevious(config, added.out);
    checkPod(pod);
    return address;
  }
  /// An ADD whose CRI-O is killed before it has heard the result.
  void runAndLose(const std::string& pod) {
    host_.addNamespace(pod);
    resultOf(add(file_, subject(pod)));
  }
  /// DEL by the cached configuration; a second stop calls nothing.
  void stop(const std::string& pod) {
    checkSilent(del(pods_.at(pod), subject(pod)));
    pods_.erase(pod);
    host_.endNamespace("/run/netns/" + pod);
  }
  void checkPod(const std::string& pod) const {
    CAPTURE(pod);
    checkSilent(check(pods_.at(pod), subject(pod)));
  }

 private:
  static std::string configOf(const std::string& members) {
    return R"({"cniVersion": "1.1.0", "type": "pons", "name": "crio", "bridge": "pons-crio", )" + members + "}";
  }
  static Subject subject(const std::string& pod) {
    Subject subject = subjectOf(pod);
    subject.args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=" + pod +
                   ";K8S_POD_INFRA_CONTAINER_ID=" + pod + ";K8S_POD_UID=uid-" + pod;
    return subject;
  }
  /// Both keys; null where it knows no pod, as Go writes a nil slice.
  Outcome gc() const {
    std::string list;
    for (const auto& [pod, cached] : pods_) {
      list += std::string{list.empty() ? "" : ", "} + R"({"containerID": ")" + pod + R"(", "ifname": "eth0"})";
    }
    list = list.empty() ? "null" : "[" + list + "]";
    return callForNetwork("GC", file_.substr(0, file_.rfind('}')) + R"(, "cni.dev/attachments": )" + list +
                                    R"(, "cni.dev/valid-attachments": )" + list + "}");
  }

  FakeHost& host_;
  std::string file_;
  std::map<std::string, std::string> pods_;
};

}  // namespace

TEST_CASE("CRI-O starts without a pod: it asks STATUS until the network is ready, and GC with null ends what it lost") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  Crio crio{host};
  crio.configure(R"("ipam": {"subnet": "10.42.0.0/33"})");
  std::vector<std::string> refusals;
  crio.onNotReady = [&](int asked) {
    refusals.push_back(crio.status().out);
    if (asked == 4) crio.configure(kIpam);
  };
  CHECK(crio.start() == 4);
  for (const std::string& refusal : refusals) CHECK_MESSAGE(contains(refusal, "10.42.0.0/33"), refusal);
  checkSilent(crio.status());

  for (const char* pod : {"p1", "p2", "p3"}) crio.runAndLose(pod);
  CHECK(crio.start() == 1);
  CHECK(!contains(ledgerText(), "p1:eth0"));
  for (const std::string pod : {"p1", "p2", "p3"}) host.endNamespace("/run/netns/" + pod);
}

TEST_CASE("CRI-O checks each pod after its ADD and all of them at each start, which changes nothing") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  Crio crio{host};
  crio.configure(kIpam);
  CHECK(crio.start() == 1);
  for (const char* pod : {"p1", "p2", "p3"}) crio.run(pod);
  crio.runAndLose("lost");
  for (int i = 0; i < 2; ++i) CHECK(crio.start() == 1);
  CHECK(!contains(ledgerText(), "lost:eth0"));
  CHECK(contains(ledgerText(), "p1:eth0"));

  // A pod is stopped by the configuration of its ADD, whatever the file says by then.
  crio.configure(R"("ipMasq": false, "mtu": 1400, "ipam": {"subnet": "10.43.0.0/24"})");
  CHECK(crio.start() == 1);
  crio.stop("p2");
  CHECK(crio.run("p4").starts_with("10.43.0."));
  CHECK(crio.start() == 1);
  crio.configure(kIpam);
  for (const char* pod : {"p4", "p1", "p3"}) crio.stop(pod);
  host.endNamespace("/run/netns/lost");
}

TEST_CASE("After the nf_tables ruleset or the bridge is lost, STATUS has healed it before CRI-O checks the pods") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const char* damage : {"nft flush ruleset", "ip link del pons-crio", "nft delete table ip6 pons"}) {
    CAPTURE(damage);
    REQUIRE_FAKE_HOST(host);
    const Unchanged unchanged{host};
    Crio crio{host};
    crio.configure(kIpam);
    for (const char* pod : {"p1", "p2", "p3"}) crio.run(pod);
    const std::string whole = host.dump();
    shell(damage);
    CHECK(crio.start() == 1);
    if (std::string_view{damage}.starts_with("nft")) CHECK(host.dump() == whole);
    for (const char* pod : {"p3", "p1", "p2"}) crio.stop(pod);
  }
}
