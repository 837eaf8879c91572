// Rate limits on a veth that another plugin made: all that a chained plugin of type "bandwidth" has.
#include <doctest/doctest.h>

#include "plugin/steps/steps.h"

#include "tests/support/differences.h"
#include "tests/support/plan_cases.h"
#include "tests/support/step_bench.h"

using namespace support;

namespace {

const std::string kBuckets = "tc -j qdisc | grep -o '\"kind\":\"tbf\"' | wc -l";

std::string shell(const std::string& command) { return outputOf({"sh", "-c", command}); }

// "theirs", as the plugin before in the chain made it, and an attachment of which only that is known.
struct Chained {
  FakeHost fake;
  pons::Host host = openHost();
  pons::Attachment attachment = pons::bareAttachment(keyOf("c1"), netlib::IfName::parse("nobridge").value());
  pons::StepPointer step = pons::bandwidthLimited(attachment);

  Chained() {
    outputOf({"ip", "link", "add", "theirs", "up", "type", "veth", "peer", "name", "inside"});
    attachment.hostVeth = netlib::IfName::parse("theirs").value();
    attachment.bandwidth = pons::Bandwidth{.ingress = pons::RateLimit{20'000'000, 400'000},
                                           .egress = pons::RateLimit{10'000'000, 200'000}};
  }
  std::string ifb() const { return pons::ifbName(attachment.key).toString(); }
  /// The step refuses, says so, and changes nothing.
  void checkRefuses(const std::string& says) {
    const std::string before = fake.dump();
    const auto applied = step->apply(host);
    REQUIRE(applied.failedWith(netlib::Cause::InUse));
    CHECK_MESSAGE(applied.error().message.find(says) != std::string::npos, applied.error().message);
    CHECK(difference(before, fake.dump()) == "");
  }
};

}  // namespace

TEST_CASE("A veth of another plugin is limited in either direction or both, verified, and left as it was") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool ingress : {true, false}) {
    for (const bool egress : {true, false}) {
      CAPTURE(ingress);
      CAPTURE(egress);
      Chained bench;
      if (!ingress) bench.attachment.bandwidth->ingress.reset();
      if (!egress) bench.attachment.bandwidth->egress.reset();
      const std::string before = bench.fake.dump();
      REQUIRE(bench.step->apply(bench.host).ok());
      CHECK(differencesOf(*bench.step, bench.host) == "");
      CHECK(shell(kBuckets) == std::to_string(int{ingress} + int{egress}) + "\n");
      REQUIRE(bench.step->undo(bench.host).ok());
      CHECK(difference(before, bench.fake.dump()) == "");
      REQUIRE(bench.step->undo(bench.host).ok());
      CHECK((differencesOf(*bench.step, bench.host) == "") == (!ingress && !egress));
    }
  }
}

TEST_CASE("Rate limits are undone after the veth was deleted, and if they were never set") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  REQUIRE(bench.step->undo(bench.host).ok());
  REQUIRE(bench.step->apply(bench.host).ok());
  outputOf({"ip", "link", "del", "theirs"});
  CHECK(differencesOf(*bench.step, bench.host) != "");
  REQUIRE(bench.step->undo(bench.host).ok());
  CHECK(!run({"ip", "link", "show", bench.ifb()}).ok());
  CHECK(bench.step->apply(bench.host).failedWith(ENODEV));
}

TEST_CASE("Rate limits without a record are removed, too") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  const std::string before = bench.fake.dump();
  REQUIRE(bench.step->apply(bench.host).ok());
  bench.attachment.bandwidth = pons::Bandwidth{};
  REQUIRE(bench.step->undo(bench.host).ok());
  CHECK(difference(before, bench.fake.dump()) == "");
}

TEST_CASE("Rate limits are set completely or not at all") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  SUBCASE("the veth already has a root qdisc") {
    outputOf({"tc", "qdisc", "add", "dev", "theirs", "root", "handle", "1:", "htb"});
    bench.checkRefuses("htb");
  }
  SUBCASE("another attachment limits the veth already") {
    pons::Attachment other = bench.attachment;
    other.key = keyOf("c2");
    const auto step = pons::bandwidthLimited(other);
    REQUIRE(step->apply(bench.host).ok());
    bench.checkRefuses("tbf");
    bench.attachment.bandwidth->ingress.reset();
    bench.checkRefuses("ingress redirect");
    CHECK(differencesOf(*step, bench.host) == "");
  }
  SUBCASE("a foreign link has the ifb's name") {
    outputOf({"ip", "link", "add", bench.ifb(), "type", "ifb"});
    bench.checkRefuses("not created by pons");
  }
}

TEST_CASE("An ifb left by a lost state directory is replaced") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  outputOf({"ip", "link", "add", bench.ifb(), "type", "ifb"});
  outputOf({"ip", "link", "set", bench.ifb(), "alias",
            pons::attachmentAlias(bench.host.ledger.path(), bench.attachment.key)});
  REQUIRE(bench.step->apply(bench.host).ok());
  CHECK(differencesOf(*bench.step, bench.host) == "");
}

TEST_CASE("Foreign tc filters on the veth are kept") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  outputOf({"tc", "qdisc", "add", "dev", "theirs", "clsact"});
  outputOf({"tc", "filter", "add", "dev", "theirs", "egress", "protocol", "ip", "u32", "match", "u32", "0", "0",
            "action", "mirred", "egress", "mirror", "dev", "lo"});
  const std::string before = bench.fake.dump();
  REQUIRE(bench.step->apply(bench.host).ok());
  CHECK(differencesOf(*bench.step, bench.host) == "");
  REQUIRE(bench.step->undo(bench.host).ok());
  CHECK(difference(before, bench.fake.dump()) == "");
  CHECK(outputOf({"tc", "filter", "show", "dev", "theirs", "egress"}).find("mirred") != std::string::npos);
}

TEST_CASE("verify() names changed rate limits, and repair() restores them") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  REQUIRE(bench.step->apply(bench.host).ok());
  // Not the whole host: a new ifb has another MAC address.
  const std::string whole = outputOf({"tc", "qdisc"});
  const std::string ifb = bench.ifb();
  const std::pair<std::string, std::string> breakages[] = {
      {"tc qdisc del dev theirs root", "limit on theirs is missing"},
      {"tc qdisc change dev theirs root handle 706f: tbf rate 30mbit burst 50000 latency 25ms", "expected"},
      {"tc qdisc change dev theirs root handle 706f: tbf rate 20mbit burst 500000 latency 25ms", "expected"},
      {"tc qdisc del dev " + ifb + " root", "limit on " + ifb},
      {"tc qdisc del dev theirs ingress", "redirection of ingress of theirs"},
      {"tc filter del dev theirs ingress", "redirection of ingress of theirs"},
      {"ip link set " + ifb + " down", "down"},
      {"ip link del " + ifb, "missing"},
  };
  for (const auto& [command, says] : breakages) {
    CAPTURE(command);
    shell(command);
    const std::string found = differencesOf(*bench.step, bench.host);
    CHECK_MESSAGE(found.find(says) != std::string::npos, found);
    const auto repaired = bench.step->repair(bench.host);
    REQUIRE_MESSAGE(repaired.ok(), repaired.error().message);
    CHECK(differencesOf(*bench.step, bench.host) == "");
    CHECK(outputOf({"tc", "qdisc"}) == whole);
  }
}

TEST_CASE("A burst that is too small for a packet of the link is made large enough") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Chained bench;
  outputOf({"ip", "link", "set", "theirs", "mtu", "65535"});
  bench.attachment.bandwidth->ingress->burst = 8;
  REQUIRE(bench.step->apply(bench.host).ok());
  CHECK(differencesOf(*bench.step, bench.host) == "");
  const std::string shown = outputOf({"tc", "qdisc", "show", "dev", "theirs", "root"});
  CHECK_MESSAGE(shown.find("burst 6555") != std::string::npos, shown);
}
