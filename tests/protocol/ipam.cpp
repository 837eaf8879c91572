// ipam types host-local and static with every verb.
#include <filesystem>
#include <set>

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
  checkError(demo.check("c3"), ErrorCode::CheckFailed,
             {"host-local's file of 10.42.0.4", "is missing", "ponsctl repair"});
  CHECK(repair().ok());
  checkSilent(demo.check("c3"));

  for (const char* container : {"c2", "c3", "c3"}) checkSilent(demo.del(container));
  CHECK(leased().empty());
  for (const char* container : {"c1", "c2", "c3"}) host.endNamespace("/run/netns/" + std::string{container});
}

TEST_CASE("host-local: DEL uses the data directory of the record, not of the configuration") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  demo.attach(host, "c1");
  checkSilent(del(configOf("1.1.0", R"("ipam": {"type": "host-local", "dataDir": "/run/elsewhere"})")));
  CHECK(leased().empty());
  demo.attach(host, "c2");
  checkSilent(del(configOf("1.1.0", ""), subjectOf("c2")));
  CHECK(leased().empty());
}

TEST_CASE("A runtime may request an address outside of the range: one owner, freed by DEL, in every spelling") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string ranges = R"("ranges": [[{"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.128"}], )"
                             R"([{"subnet": "fd42::/64", "rangeStart": "fd42::1000"}]])";
  for (const std::string& ipam :
       {R"("ipam": {)" + ranges + "}", R"("ipam": {"type": "host-local", "dataDir": "/run/leases", )" + ranges + "}"}) {
    CAPTURE(ipam);
    REQUIRE_FAKE_HOST(host);
    const Unchanged unchanged{host};
    Network demo{"demo", ipam};
    const std::string first = R"("runtimeConfig": {"ips": ["10.42.0.7/24", "fd42::7"]})";
    CHECK(demo.attach(host, "c1", first) == "10.42.0.7");
    CHECK(demo.attach(host, "c2", R"("args": {"cni": {"ips": ["10.42.0.8"]}})") == "10.42.0.8");
    CHECK(contains(outputOf({"ip", "-n", "c1", "-6", "addr"}), "fd42::7/64"));
    demo.checkAll();

    host.addNamespace("c3");
    Subject third = subjectOf("c3");
    third.args = "IP=10.42.0.8";
    checkError(add(demo.config(), third), ErrorCode::InvalidConfig, {"10.42.0.8", "container c2 (eth0)"});
    checkError(add(demo.config(R"("runtimeConfig": {"ips": ["fd42::7"]})"), third = subjectOf("c3")),
               ErrorCode::InvalidConfig, {"fd42::7", "container c1 (eth0)"});
    checkSilent(demo.del("c1"));
    third.args = "IP=10.42.0.7,fd42::7";
    CHECK(addressIn(resultOf(add(demo.config(), third))) == "10.42.0.7");
    demo.forget("c1");
    demo.checkAll();
    for (const char* container : {"c2", "c3"}) checkSilent(demo.del(container));
    for (const char* container : {"c1", "c2", "c3"}) host.endNamespace("/run/netns/" + std::string{container});
  }
}

TEST_CASE("host-local: a failed ADD leaves no file, and DEL with a truncated record frees the leases") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  host.addNamespace("c1");
  shell("ip -n c1 link add eth0 type bridge");
  checkError(add(demo.config()), ErrorCode::InvalidConfig, {"eth0"});
  CHECK(leased().empty());
  shell("ip -n c1 link del eth0");
  resultOf(add(demo.config()));
  CHECK(leased().size() == 2);
  shell("truncate -s 40 " + recordOf(demo, "c1"));
  checkSilent(demo.del("c1"));
  CHECK(leased().empty());
}

TEST_CASE(
    "host-local: a full pool is reported with its size, which is no failure of STATUS, and leases of dead containers "
    "are "
    "reclaimed") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kHostLocal};
  for (const char* container : {"c1", "c2", "c3", "c4"}) demo.attach(host, container);
  setContent("/run/leases/demo/10.42.0.6", "c9\r\neth0");  // by the reference plugin
  host.addNamespace("c5");
  const std::vector<std::string> words{"no free address in network demo", "5 of 5 addresses of 10.42.0.0/29"};
  checkError(add(demo.config(), subjectOf("c5")), ErrorCode::TryAgain, words);
  const Outcome status = demo.status();
  checkSilent(status);
  for (const std::string& word : words) CHECK_MESSAGE(contains(status.err, word), status.err);
  CHECK(textOfAll(leased()) == "10.42.0.2 10.42.0.3 10.42.0.4 10.42.0.5 10.42.0.6 fd42::2 fd42::3 fd42::4 fd42::5 ");
  host.endNamespace("/run/netns/c2");
  demo.forget("c2");
  CHECK(demo.attach(host, "c6") == "10.42.0.3");
  CHECK(contentOf("/run/leases/demo/10.42.0.3") == "c6\r\neth0");
  demo.checkAll();
}

TEST_CASE("host-local: leases of the reference plugin are respected and freed by DEL of pons, and vice versa") {
  REQUIRE_FAKE_HOST(host);
  if (!fs::exists(kReference)) return FakeHost::countSkip("needs containernetworking-plugins");
  Network demo{"demo", kHostLocal};
  const std::string config = R"({"cniVersion": "1.0.0", "name": "demo", "type": "ptp", )" + kHostLocal + "}";
  REQUIRE(callReference("ADD", config, "r1").ok());
  CHECK(demo.attach(host, "c1") == "10.42.0.3");
  const auto third = documentOf(callReference("ADD", config, "r2"));
  CHECK(addressIn(third) == "10.42.0.4");
  checkError(
      add(demo.config(), {.container = "r3", .netns = "/run/netns/c1", .ifName = "eth1", .args = "IP=10.42.0.2"}),
      ErrorCode::InvalidConfig, {"10.42.0.2", "container r1 (eth0)", "/run/leases/demo"});

  // Attached by the reference plugin before pons was installed.
  checkSilent(del(demo.config(), subjectOf("r1")));
  CHECK(textOfAll(leased()) == "10.42.0.3 10.42.0.4 fd42::3 fd42::4 ");
  // DEL of the reference plugin has deleted the files before DEL of pons.
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
  setContent("/run/leases/demo/10.42.0.5", "r1\r\neth0");
  setContent("/run/leases/demo/10.42.0.6", "r2\r\neth0");
  checkSilent(demo.gc());
  CHECK(leased().size() == 6);
  checkSilent(demo.gcAllBut({"c2", "r2"}));
  CHECK(textOfAll(leased()) == "10.42.0.3 10.42.0.6 fd42::3 ");
  demo.forget("c1");
  demo.checkAll();
}

TEST_CASE("static: addresses of the configuration have one owner each; those of a dead container are reclaimed") {
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
