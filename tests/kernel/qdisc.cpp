#include "netlib/rtnl/qdisc.h"

#include <doctest/doctest.h>

#include "netlib/rtnl/link.h"

#include "plugin/json/json.h"

#include "tests/support/fake_host.h"

using namespace support;
using netlib::IfName;
using netlib::Socket;
using netlib::qdisc::TokenBucket;
using pons::json::Document;
namespace qdisc = netlib::qdisc;
namespace links = netlib::link;

namespace {

constexpr qdisc::Mark kMark = 0x1234;
constexpr qdisc::Mark kOther = 0x4321;
constexpr TokenBucket kBucket{.rate = 2'500'000, .burst = 50'000, .limit = 112'500};

IfName name(const char* text) { return IfName::parse(text).value(); }

// A veth "v0" to play with, and an ifb.
struct Bench {
  Socket route = Socket::open(Socket::Subsystem::Route).value();
  unsigned veth = make();
  unsigned ifb = makeIfb();

  unsigned make() {
    outputOf({"ip", "link", "add", "v0", "up", "type", "veth", "peer", "name", "v1"});
    return links::find(route, name("v0"))->index;
  }
  unsigned makeIfb() {
    REQUIRE(links::createIfb(route, {.name = name("i0"), .alias = "pons demo c1 eth0", .mtu = 1400}).ok());
    return links::find(route, name("i0"))->index;
  }
};

/// What tc(8) says of a link's qdiscs.
std::string shown(const std::string& name) { return outputOf({"tc", "-j", "qdisc", "show", "dev", name}); }
Document asDocument(const std::string& list) { return Document::parse("{\"list\": " + list + "}").value(); }

}  // namespace

TEST_CASE("An ifb is created up with alias and MTU; an existing name is EEXIST and keeps its link") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  const auto found = links::find(bench.route, bench.ifb).value();
  CHECK(found.kind == "ifb");
  CHECK(found.alias == "pons demo c1 eth0");
  CHECK(found.mtu == 1400);
  CHECK(found.up());
  CHECK(links::createIfb(bench.route, {.name = name("i0"), .alias = "pons demo c1 eth0"}).failedWith(EEXIST));
  CHECK(links::find(bench.route, name("i0"))->index == bench.ifb);

  const std::string before = host.dump();
  CHECK(!links::createIfb(bench.route, {.name = name("i1"), .alias = std::string(300, 'x')}).ok());
  CHECK(host.dump() == before);
}

TEST_CASE("A token bucket is made once, read back, shown by tc as it was meant, and removed by its mark alone") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  const std::string before = host.dump();
  CHECK(!qdisc::findRoot(bench.route, bench.veth)->has_value());
  REQUIRE(qdisc::createRoot(bench.route, bench.veth, kMark, kBucket).ok());
  CHECK(qdisc::createRoot(bench.route, bench.veth, kMark, kBucket).failedWith(EEXIST));
  CHECK(qdisc::createRoot(bench.route, bench.veth, kOther, kBucket).failedWith(EEXIST));

  const auto found = qdisc::findRoot(bench.route, bench.veth).value();
  REQUIRE(found.has_value());
  CHECK(found->kind == "tbf");
  CHECK(found->mark == kMark);
  CHECK(found->rate == kBucket.rate);
  CHECK(found->limit == kBucket.limit);
  const Document document = asDocument(shown("v0"));
  const auto root = document["list"].items().at(0);
  CHECK(root["kind"].string() == "tbf");
  CHECK(root["handle"].string() == "1234:");
  CHECK(root["options"]["rate"].integer() == 2'500'000);
  // tc works it out of the time that the kernel keeps instead.
  const auto burst = root["options"]["burst"].integer().value_or(0);
  CHECK(burst > 49'990);
  CHECK(burst < 50'010);
  // The wait for what is queued behind a full bucket: (112,500 - 50,000) bytes.
  const auto latency = root["options"]["lat"].integer().value_or(0);
  CHECK(latency > 24'990);
  CHECK(latency < 25'010);

  CHECK(qdisc::removeRoot(bench.route, bench.veth, kOther).failedWith(netlib::Cause::Missing));
  CHECK(qdisc::findRoot(bench.route, bench.veth)->has_value());
  REQUIRE(qdisc::removeRoot(bench.route, bench.veth, kMark).ok());
  CHECK(qdisc::removeRoot(bench.route, bench.veth, kMark).failedWith(netlib::Cause::Missing));
  CHECK(!qdisc::findRoot(bench.route, bench.veth)->has_value());
  CHECK(host.dump() == before);
}

TEST_CASE("The smallest and the largest rates are read back as they were set") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  for (const std::uint64_t rate :
       {std::uint64_t{1}, std::uint64_t{0xffffffff}, std::uint64_t{0x100000000}, std::uint64_t{125'000'000'000}}) {
    CAPTURE(rate);
    REQUIRE(qdisc::createRoot(bench.route, bench.veth, kMark, {rate, 4'000'000'000U, 4'294'967'295U}).ok());
    CHECK(qdisc::findRoot(bench.route, bench.veth).value()->rate == rate);
    CHECK(asDocument(shown("v0"))["list"].items().at(0)["options"]["rate"].integer() ==
          static_cast<std::int64_t>(rate));
    REQUIRE(qdisc::removeRoot(bench.route, bench.veth, kMark).ok());
  }
}

TEST_CASE("A foreign root qdisc is reported, and neither replaced nor removed") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  outputOf({"tc", "qdisc", "add", "dev", "v0", "root", "handle", "1:", "htb"});
  const std::string before = host.dump();
  const auto found = qdisc::findRoot(bench.route, bench.veth).value();
  REQUIRE(found.has_value());
  CHECK(found->kind == "htb");
  CHECK(found->mark == 1);
  CHECK(!found->rate.has_value());
  CHECK(qdisc::createRoot(bench.route, bench.veth, kMark, kBucket).failedWith(EEXIST));
  CHECK(qdisc::removeRoot(bench.route, bench.veth, kMark).failedWith(netlib::Cause::Missing));
  CHECK(host.dump() == before);
}

TEST_CASE("What arrives is redirected by one filter, which is found, and removed by its mark alone") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  const std::string before = host.dump();
  CHECK(!qdisc::findRedirect(bench.route, bench.veth, kMark)->has_value());
  CHECK(qdisc::createRedirect(bench.route, bench.veth, kMark, bench.ifb).failedWith(EINVAL));
  REQUIRE(qdisc::createIngress(bench.route, bench.veth).ok());
  CHECK(qdisc::createIngress(bench.route, bench.veth).failedWith(EEXIST));
  REQUIRE(qdisc::createRedirect(bench.route, bench.veth, kMark, bench.ifb).ok());
  CHECK(qdisc::findRedirect(bench.route, bench.veth, kMark).value() == bench.ifb);
  CHECK(!qdisc::findRedirect(bench.route, bench.veth, kOther)->has_value());
  const std::string filters = outputOf({"tc", "filter", "show", "dev", "v0", "ingress"});
  CHECK_MESSAGE(filters.find("mirred (Egress Redirect to device i0) stolen") != std::string::npos, filters);
  CHECK_MESSAGE(filters.find("match 00000000/00000000 at 0") != std::string::npos, filters);

  CHECK(qdisc::removeRedirect(bench.route, bench.veth, kOther).failedWith(netlib::Cause::Missing));
  REQUIRE(qdisc::removeIdleIngress(bench.route, bench.veth).ok());
  CHECK(qdisc::findRedirect(bench.route, bench.veth, kMark).value() == bench.ifb);
  REQUIRE(qdisc::removeRedirect(bench.route, bench.veth, kMark).ok());
  CHECK(qdisc::removeRedirect(bench.route, bench.veth, kMark).failedWith(netlib::Cause::Missing));
  REQUIRE(qdisc::removeIdleIngress(bench.route, bench.veth).ok());
  CHECK(qdisc::removeIdleIngress(bench.route, bench.veth).failedWith(netlib::Cause::Missing));
  CHECK(qdisc::removeRedirect(bench.route, bench.veth, kMark).failedWith(netlib::Cause::Missing));
  CHECK(host.dump() == before);
}

TEST_CASE("A redirect to a deleted link is reported") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  REQUIRE(qdisc::createIngress(bench.route, bench.veth).ok());
  REQUIRE(qdisc::createRedirect(bench.route, bench.veth, kMark, bench.ifb).ok());
  REQUIRE(links::remove(bench.route, bench.ifb).ok());
  CHECK(qdisc::findRedirect(bench.route, bench.veth, kMark).value() == 0U);
}

TEST_CASE("The ingress qdisc is kept if it has foreign filters; a foreign clsact is kept") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  std::string theirs;
  SUBCASE("ingress") {
    theirs = "ingress";
    REQUIRE(qdisc::createIngress(bench.route, bench.veth).ok());
    outputOf({"tc",    "filter", "add", "dev", "v0",     "ingress", "prio",   "7",      "protocol", "ip", "u32",
              "match", "u32",    "0",   "0",   "action", "mirred",  "egress", "mirror", "dev",      "v1"});
  }
  SUBCASE("clsact") {
    theirs = "clsact";
    outputOf({"tc", "qdisc", "add", "dev", "v0", "clsact"});
    CHECK(qdisc::createIngress(bench.route, bench.veth).failedWith(EEXIST));
  }
  const std::string before = outputOf({"tc", "filter", "show", "dev", "v0", "ingress"});
  REQUIRE(qdisc::createRedirect(bench.route, bench.veth, kMark, bench.ifb).ok());
  CHECK(qdisc::findRedirect(bench.route, bench.veth, kMark).value() == bench.ifb);
  REQUIRE(qdisc::removeRedirect(bench.route, bench.veth, kMark).ok());
  REQUIRE(qdisc::removeIdleIngress(bench.route, bench.veth).ok());
  CHECK(outputOf({"tc", "filter", "show", "dev", "v0", "ingress"}) == before);
  CHECK(shown("v0").find(theirs) != std::string::npos);
}

TEST_CASE("A link that is not there is ENODEV for all of them") {
  REQUIRE_FAKE_HOST(host);
  Bench bench;
  constexpr unsigned kNone = 4711;
  CHECK(qdisc::findRoot(bench.route, kNone).failedWith(ENODEV));
  CHECK(qdisc::createRoot(bench.route, kNone, kMark, kBucket).failedWith(ENODEV));
  CHECK(qdisc::removeRoot(bench.route, kNone, kMark).failedWith(ENODEV));
  CHECK(qdisc::createIngress(bench.route, kNone).failedWith(ENODEV));
  CHECK(qdisc::removeIdleIngress(bench.route, kNone).failedWith(ENODEV));
  CHECK(qdisc::createRedirect(bench.route, kNone, kMark, bench.ifb).failedWith(ENODEV));
  CHECK(qdisc::removeRedirect(bench.route, kNone, kMark).failedWith(ENODEV));
}
