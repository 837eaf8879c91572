// host-local's files: the reference plugin and pons are compared, on separate directories and on a common one.
#include "plugin/ledger/host_local.h"

#include <fstream>
#include <map>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "plugin/verbs/ipam.h"

#include "tests/support/at_once.h"
#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"
#include "tests/support/scratch.h"

using namespace support;
using pons::HostLocal;
using pons::HostLocalOwner;
using pons::cni::Verb;

namespace {

namespace fs = std::filesystem;

constexpr const char* kReference = "/usr/lib/cni/host-local";
constexpr std::chrono::seconds kPatience{20};

const std::string kTwoSets =
    R"("ranges": [[{"subnet": "10.1.2.0/28", "rangeStart": "10.1.2.8"}, {"subnet": "10.1.1.0/29"}],)"
    R"( [{"subnet": "fd00:0:0:1::/124", "gateway": "fd00:0:0:1::3"}]], "routes": [{"dst": "0.0.0.0/0"}])";

struct Answer {
  bool ok;
  std::string text;  ///< the addresses, after a successful ADD
};

std::string configOf(const std::string& dataDir, const std::string& ipam, const std::string& more = {}) {
  return R"({"cniVersion": "1.0.0", "name": "demo", "type": "ptp", "ipam": {"type": "host-local", "dataDir": ")" +
         dataDir + R"(", )" + ipam + "}" + more + "}";
}

/// The addresses in a result, in order.
std::string addressesIn(const std::string& result) {
  const auto document = pons::json::Document::parse(result);
  if (!document.ok()) return result;
  std::string text;
  for (const auto& item : (*document)["ips"].items()) {
    text += std::string{item["address"].string().value_or("")} + " by " +
            std::string{item["gateway"].string().value_or("")} + "; ";
  }
  return text;
}

Answer byReference(const std::string& verb, const std::string& container, const std::string& config,
                   const std::string& args = {}) {
  const Outcome outcome =
      run({kReference}, {.environment = std::vector<std::string>{"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + container,
                                                                 "CNI_NETNS=/proc/self/ns/net", "CNI_IFNAME=eth0",
                                                                 "CNI_PATH=/usr/lib/cni", "CNI_ARGS=" + args},
                         .input = config});
  return {outcome.ok(), addressesIn(outcome.out)};
}

Answer byPons(const std::string& verb, const std::string& container, const std::string& config,
              const std::string& args = {}) {
  const pons::cni::Environment environment{.command = verb,
                                           .containerId = container,
                                           .netns = "/proc/self/ns/net",
                                           .ifName = "eth0",
                                           .args = args,
                                           .path = {},
                                           .stateDir = {}};
  const auto request =
      pons::cni::parseIpamRequest(pons::cni::verbOf(environment).value().value(), environment, config, "host-local");
  REQUIRE_MESSAGE(request.ok(), (request ? "" : request.error().message));
  const auto answer = pons::hostLocal(*request, kPatience);
  return {answer.ok(), answer.ok() ? addressesIn(*answer) : answer.error().message};
}

/// Names and contents, without modes: that of the lock file differs.
std::string filesIn(const std::string& directory) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::ifstream file{entry.path(), std::ios::binary};
    lines.push_back(entry.path().filename().string() + " = " + std::string{std::istreambuf_iterator<char>{file}, {}} +
                    ";\n");
  }
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

bool haveReference() {
  if (fs::exists(kReference)) return true;
  FakeHost::countSkip("needs containernetworking-plugins");
  return false;
}

HostLocal lockedIn(const Scratch& scratch) {
  return HostLocal::lock(scratch.path(), pons::NetworkName::parse("demo").value(), kPatience).value();
}

void put(const std::string& path, const std::string& content) { std::ofstream{path, std::ios::binary} << content; }

}  // namespace

TEST_CASE(
    "Compared with the reference plugin: same results and same files, byte for byte, for any sequence of commands") {
  if (!haveReference()) return;
  const Scratch theirs;
  const Scratch ours;
  std::minstd_rand random{4};
  for (int step = 0; step < 120; ++step) {
    CAPTURE(step);
    const std::string container = "c" + std::to_string(random() % 18);
    // More are added than removed, so that the sets are full for a while, and then emptied.
    const std::string verb = step == 0 || random() % 10 < (step < 80 ? 7U : 3U) ? "ADD" : "DEL";
    CAPTURE(verb + " " + container);
    const Answer reference = byReference(verb, container, configOf(theirs.path(), kTwoSets));
    const Answer pons = byPons(verb, container, configOf(ours.path(), kTwoSets));
    CHECK(pons.ok == reference.ok);
    if (reference.ok) CHECK(pons.text == reference.text);
    // If one set is full, the reference plugin advances the round robin of the others; pons leases all or nothing.
    if (!reference.ok) fs::copy(theirs / "demo", ours / "demo", fs::copy_options::overwrite_existing);
    REQUIRE(filesIn(ours / "demo") == filesIn(theirs / "demo"));
  }
}

TEST_CASE("On one directory each plugin respects and frees the leases of the other") {
  if (!haveReference()) return;
  const Scratch scratch;
  const std::string config = configOf(scratch.path(), R"("subnet": "10.1.2.0/28")");
  std::minstd_rand random{5};
  std::map<std::string, std::string> leased;
  for (int step = 0; step < 120; ++step) {
    CAPTURE(step);
    const auto& call = random() % 2 == 0 ? byPons : byReference;
    const std::string container = "c" + std::to_string(random() % 16);
    if (leased.contains(container)) {
      CHECK(call("CHECK", container, config, {}).ok);
      CHECK(call("DEL", container, config, {}).ok);
      leased.erase(container);
      CHECK(!call("CHECK", container, config, {}).ok);
      continue;
    }
    const Answer answer = call("ADD", container, config, {});
    CHECK(answer.ok == (leased.size() < 13));
    if (!answer.ok) continue;
    for (const auto& [other, address] : leased) CHECK_MESSAGE(address != answer.text, other);
    leased[container] = answer.text;
  }
}

TEST_CASE("Requested addresses are granted and refused as by the reference plugin, but for those beyond the range") {
  if (!haveReference()) return;
  const Scratch theirs;
  const Scratch ours;
  const std::string ipam = R"("subnet": "10.1.2.0/28", "rangeEnd": "10.1.2.9")";
  for (const char* wish : {"10.1.2.5", "10.1.2.5", "10.1.2.1", "10.1.2.10", "10.1.9.9", "10.1.2.6,10.1.2.7"}) {
    CAPTURE(wish);
    static int number = 0;
    const std::string container = "c" + std::to_string(number++);
    const std::string args = std::string{"IgnoreUnknown=1;IP="} + wish;
    if (std::string_view{wish}.find(',') != std::string_view::npos) {  // the reference does not read lists there
      CHECK(!byPons("ADD", container, configOf(ours.path(), ipam), args).ok);
      continue;
    }
    const Answer reference = byReference("ADD", container, configOf(theirs.path(), ipam), args);
    const Answer pons = byPons("ADD", container, configOf(ours.path(), ipam), args);
    // Beyond rangeEnd, but in the subnet: static addresses of compose files. The reference refuses them.
    CHECK(pons.ok == (reference.ok || wish == std::string_view{"10.1.2.10"}));
    if (reference.ok) CHECK(pons.text == reference.text);
  }
}

TEST_CASE("Concurrent ADDs of both plugins: no address has two owners, none is lost, the last free one is found") {
  const Scratch scratch;
  const std::string config = configOf(scratch.path(), R"("subnet": "10.1.2.0/27")");  // 29 addresses
  const bool mixed = haveReference();
  const auto leaseOne = [&](int number) {
    const std::string container = "c" + std::to_string(number);
    return (mixed && number % 2 == 0 ? byReference("ADD", container, config) : byPons("ADD", container, config)).ok;
  };
  CHECK(atOnce(40, leaseOne) == 29);
  std::set<std::string> owners;
  const HostLocal files = lockedIn(scratch);
  const auto addresses = files.all().value();
  CHECK(addresses.size() == 29);
  for (const auto& address : addresses) owners.insert(files.ownerOf(address).value().value());
  CHECK(owners.size() == 29);
}

TEST_CASE("an empty file has no owner and is used last; an unreadable file counts as leased") {
  const Scratch scratch;
  const std::string config = configOf(scratch.path(), R"("subnet": "10.1.2.0/29")");  // .2 to .6
  fs::create_directories(scratch / "demo");
  put(scratch / "demo/10.1.2.2", "");
  fs::create_directory(scratch / "demo/10.1.2.3");
  fs::create_symlink("/etc/hostname", scratch / "demo/10.1.2.4");
  put(scratch / "demo/10.1.2.5", "old-style");
  put(scratch / "demo/README", "c1\r\neth0");
  CHECK(byPons("ADD", "c1", config).text == "10.1.2.6/29 by 10.1.2.1; ");
  CHECK(byPons("ADD", "c2", config).text == "10.1.2.2/29 by 10.1.2.1; ");
  const Answer full = byPons("ADD", "c3", config);
  CHECK(full.text.find("5 of 5 addresses of 10.1.2.0/29") != std::string::npos);
  // Only a warning: Kubernetes evicts the pods of a node whose network is not ready.
  CHECK(byPons("STATUS", "", R"({"cniVersion": "1.1.0")" + config.substr(config.find(','))).ok);
  CHECK(fs::is_directory(scratch / "demo/10.1.2.3"));
  CHECK(fs::is_symlink(scratch / "demo/10.1.2.4"));

  // Written by host-local before 0.8.3, without interface.
  CHECK(byPons("DEL", "old-style", config).ok);
  CHECK(!fs::exists(scratch / "demo/10.1.2.5"));
  CHECK(fs::exists(scratch / "demo/README"));
}

TEST_CASE("Leases of others are neither taken nor released, and a second ADD of one container is refused") {
  const Scratch scratch;
  const HostLocalOwner me{"c1", "eth0"};
  const HostLocalOwner other{"c1", "eth1"};
  {
    const HostLocal files = lockedIn(scratch);
    REQUIRE(files.reserve(me, ip("10.1.2.2")).ok());
    CHECK(files.reserve(me, ip("10.1.2.2")).ok());
    const auto refused = files.reserve(other, ip("10.1.2.2"));
    CHECK(refused.failedWith(netlib::Cause::InUse));
    CHECK(refused.error().message.find("container c1 (eth0)") != std::string::npos);
    CHECK(files.release(other, ip("10.1.2.2")).ok());
    CHECK(files.belongsTo(me, ip("10.1.2.2")).value());
    // All or nothing, and a draft that a killed process left is no obstacle.
    put(scratch / "demo/10.1.2.3.draft", "torn");
    const std::vector<pons::Lease> both{{prefix("10.1.2.3/24"), {}}, {prefix("10.1.2.2/24"), {}}};
    CHECK(files.reserveAll(other, both).failedWith(netlib::Cause::InUse));
    CHECK(files.all().value() == std::vector{ip("10.1.2.2")});
    CHECK(!fs::exists(scratch / "demo/10.1.2.3.draft"));
  }
  CHECK(!byPons("ADD", "c1", configOf(scratch.path(), R"("subnet": "10.1.2.0/24")")).ok);
}

TEST_CASE("GC of the plugin: with a list the leases not in it, without one only leases without an owner") {
  const Scratch scratch;
  const std::string ipam = R"("subnet": "10.1.2.0/24")";
  const auto config = [&](const std::string& more) {
    return R"({"cniVersion": "1.1.0")" +
           configOf(scratch.path(), ipam, more).substr(std::string_view{R"({"cniVersion": "1.0.0")"}.size());
  };
  for (const char* container : {"c1", "c2"}) REQUIRE(byPons("ADD", container, config("")).ok);
  const std::string longId(300, 'x');  // may be in the list, but not in a record of pons
  put(scratch / "demo/10.1.2.50", longId + "\r\neth0");
  put(scratch / "demo/10.1.2.51", "");
  CHECK(byPons("GC", "", config("")).ok);
  CHECK(lockedIn(scratch).all().value().size() == 3);
  CHECK(byPons("GC", "", config(R"(, "cni.dev/valid-attachments": [{"containerID": "c2", "ifname": "eth0"}])")).ok);
  const HostLocal files = lockedIn(scratch);
  CHECK(files.all().value().size() == 2);
  CHECK(files.belongsTo({"c2", "eth0"}, ip("10.1.2.3")).value());
  CHECK(files.has(ip("10.1.2.50")).value());
}

TEST_CASE("The lock is waited for up to the timeout, and a directory of another owner is refused") {
  const Scratch scratch;
  const auto network = pons::NetworkName::parse("demo").value();
  const HostLocal held = lockedIn(scratch);
  const auto refused = HostLocal::lock(scratch.path(), network, std::chrono::milliseconds{20});
  REQUIRE(refused.failedWith(netlib::Cause::Locked));
  CHECK(refused.error().message.find("/demo/lock") != std::string::npos);
  CHECK(HostLocal::peek(scratch.path(), network).value().has_value());
  CHECK(!HostLocal::lockExisting(scratch / "none", network, kPatience).value().has_value());
  CHECK(!fs::exists(scratch / "none"));

  fs::permissions(scratch / "demo", fs::perms::others_write, fs::perm_options::add);
  CHECK(HostLocal::peek(scratch.path(), network).failedWith(netlib::Cause::Unsafe));
  const auto linked = pons::NetworkName::parse("linked").value();
  fs::create_directory_symlink("/tmp", scratch / "linked");
  CHECK(HostLocal::lock(scratch.path(), linked, kPatience).failedWith(netlib::Cause::Unsafe));
}
