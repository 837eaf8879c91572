// Rate limits as users and runtimes ask for them, and what becomes of them without a record.
#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/attachments.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";
const std::string kBoth = R"({"ingressRate": 20000000, "ingressBurst": 34359738359, "egressRate": 8000000})";

std::string asked(const std::string& limits) { return R"("runtimeConfig": {"bandwidth": )" + limits + "}"; }
std::string own(const std::string& limits) { return R"("bandwidth": )" + limits; }

std::string keyed(const std::string& container) { return pons::ifbName(keyOf(container)).toString(); }
std::string vethOf(const std::string& container) { return pons::hostVethName(keyOf(container)).toString(); }
std::string rootOf(const std::string& link) { return outputOf({"tc", "qdisc", "show", "dev", link, "root"}); }

}  // namespace

TEST_CASE(
    "bandwidth: the limits are in the kernel, from the file as from the runtime; CHECK sees them, DEL ends them") {
  for (const std::string& members : {own(kBoth), asked(kBoth)}) {
    CAPTURE(members);
    REQUIRE_FAKE_HOST(host);
    Network demo{"demo", kIpam};
    const std::string before = host.dump();
    demo.attach(host, "c1", members);
    CHECK_MESSAGE(contains(rootOf(vethOf("c1")), "tbf 706f: root"), rootOf(vethOf("c1")));
    CHECK(contains(rootOf(vethOf("c1")), "rate 20Mbit burst 50000b lat 25ms"));
    CHECK_MESSAGE(contains(rootOf(keyed("c1")), "rate 8Mbit burst 20000b lat 25ms"), rootOf(keyed("c1")));
    demo.checkAll();
    shell("ip link set " + keyed("c1") + " down");
    checkError(demo.check("c1"), ErrorCode::CheckFailed, {keyed("c1"), "down", "ponsctl repair"});
    checkSilent(demo.del("c1"));
    checkSilent(demo.del("c1"));
    CHECK(host.dump() == before);
  }
}

TEST_CASE("bandwidth: nothing is made where there is no limit, and what cannot be kept is refused by name") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1", asked(R"({"ingressRate": 0, "ingressBurst": 0, "egressRate": 0, "egressBurst": 0})"));
  CHECK(!contains(outputOf({"tc", "qdisc"}), "tbf"));
  CHECK(!contains(outputOf({"ip", "-d", "link"}), "ifb"));
  host.addNamespace("c2");
  const Unchanged unchanged{host};
  checkError(add(demo.config(own(R"({"ingressRate": 7})")), subjectOf("c2")), ErrorCode::InvalidConfig,
             {"bandwidth.ingressRate", "7"});
}

TEST_CASE("bandwidth: GC removes the ifb of an attachment whose state directory was lost, and no other") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1", own(kBoth));
  shell("rm -rf /run/pons");
  shell("ip link add ifb7 type ifb");
  shell("ip link add ponsr0123456789 type ifb && ip link set ponsr0123456789 alias 'pons other c1 eth0'");
  demo.attach(host, "c2", own(kBoth));
  checkSilent(demo.gcAllBut({"c2"}));
  CHECK(!run({"ip", "link", "show", keyed("c1")}).ok());
  CHECK(!run({"ip", "link", "show", vethOf("c1")}).ok());
  demo.forget("c1");
  demo.checkAll();
  for (const char* kept : {"ifb7", "ponsr0123456789"}) CHECK(run({"ip", "link", "show", kept}).ok());
}

TEST_CASE("bandwidth: DEL of an attachment whose record is damaged leaves no ifb") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1", own(kBoth));
  shell("echo noise > " + recordOf(demo, "c1"));
  checkSilent(demo.del("c1"));
  CHECK(!contains(outputOf({"ip", "-d", "link"}), "ifb"));
  CHECK(!contains(outputOf({"tc", "qdisc"}), "tbf"));
}

TEST_CASE("bandwidth: the next ADD replaces the ifb that a lost ledger forgot") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1", own(kBoth));
  shell("rm -rf /run/pons");
  host.removeNamespace("/run/netns/c1");
  demo.attach(host, "c1", own(kBoth));
  demo.checkAll();
}
