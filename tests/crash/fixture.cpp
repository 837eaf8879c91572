#include "tests/crash/fixture.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "plugin/json/json.h"
#include "plugin/ledger/record.h"

namespace support {
namespace {

/// With host-local's files in addition to the ledger's claims, and a writable root.
PlanCase fullCase() {
  PlanCase full = planCases().at(1);
  full.members += ", " + kDnsInRoot;
  full.rules = kMakeRoots;
  const std::string ipam = R"("ipam": {)";
  full.members.replace(full.members.find(ipam), ipam.size(),
                       ipam + R"("type": "host-local", "dataDir": "/run/host-local", )");
  return full;
}

std::vector<std::string> environmentOf(const std::string& verb) {
  return {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=c1", "CNI_NETNS=/run/netns/c1", "CNI_IFNAME=eth0",
          "CNI_PATH=/opt/cni/bin"};
}

/// A kill before the record was written leaves at most its empty directories, which the next attachment of the network
/// removes.
std::string withoutEmptyNetwork(std::string dump) {
  for (const char* line : {"/networks/demo/attachments\n", "/networks/demo/addresses\n", "/networks/demo\n"}) {
    const std::string whole = kStateDir + std::string{line};
    if (const auto at = dump.find(whole); at != std::string::npos) dump.erase(at, whole.size());
  }
  return dump;
}

}  // namespace

CrashFixture::CrashFixture(FakeHost& host, Neighbour neighbour) : host_(host) {
  PlanCase which = fullCase();
  // Both kinds of resolv.conf without another fixture.
  if (neighbour == Neighbour::Living) which.rules += kReadOnlyRoots;
  prepare(host, which);
  empty_ = dumpAll(host);
  if (neighbour == Neighbour::Living) {
    auto added = otherRuntimeOf(fullCase()).add("other");
    REQUIRE(added.ok());
    neighbour_ = std::move(*added);
  }
  before_ = dump();
}

CrashFixture::~CrashFixture() {
  if (neighbour_) CHECK(otherRuntimeOf(fullCase()).del("other").ok());
  CHECK(call("GC").ok());
  CHECK(difference(empty_, dumpAll(host_)) == "");
}

TracedOutcome CrashFixture::callTraced(const std::string& verb, const FaultInjection& fault) const {
  return runTraced({PONS_BINARY}, {.environment = environmentOf(verb), .input = input(verb)}, fault);
}

Outcome CrashFixture::call(const std::string& verb) const {
  return run({PONS_BINARY}, {.environment = environmentOf(verb), .input = input(verb)});
}

void CrashFixture::must(const std::string& verb) const {
  const Outcome outcome = call(verb);
  REQUIRE_MESSAGE(outcome.ok(), verb << ", signal " << outcome.signal << ": " << outcome.out << outcome.err);
}

void CrashFixture::mustFail(const std::string& verb, pons::cni::ErrorCode code) const {
  const Outcome outcome = call(verb);
  const auto answer = pons::json::Document::parse(outcome.out);
  REQUIRE_MESSAGE(answer.ok(), verb << ": " << outcome.out << outcome.err);
  REQUIRE_MESSAGE((*answer)["code"].integer() == static_cast<int>(code), verb << ": " << outcome.out);
}

bool CrashFixture::isCommitted() const {
  std::ifstream record{std::string{kStateDir} + "/networks/demo/attachments/c1:eth0.json"};
  const std::string text{std::istreambuf_iterator<char>{record}, {}};
  return text.ends_with(pons::recordTail(pons::RecordState::Committed));
}

void CrashFixture::checkUntouched() const {
  if (std::string now = quickDump(); now != quickDump_) {
    const std::string changed = difference(before_, dump());
    CHECK(changed == "");
    if (changed.empty()) quickDump_ = std::move(now);
  }
  if (!neighbour_) return;
  const auto checked = otherRuntimeOf(fullCase()).check("other", *neighbour_);
  CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
}

void CrashFixture::checkWorking(const std::string& result) const {
  const auto checked = runtimeOf(fullCase()).check("c1", result);
  CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
}

std::string CrashFixture::input(const std::string& verb) const {
  if (verb != "GC") return demoConfig(fullCase().members);
  const std::string valid = neighbour_ ? R"({"containerID": "other", "ifname": "eth0"})" : "";
  return demoConfig(fullCase().members + R"(, "cni.dev/valid-attachments": [)" + valid + "]");
}

std::string CrashFixture::dump() const { return withoutEmptyNetwork(dumpAll(host_)); }

std::string CrashFixture::quickDump() const {
  std::string text = withoutEmptyNetwork(dumpLedger()) + dumpHostLocal() + dumpRoots() + interfacesOf(host_, "c1");
  for (const char* parameter : {"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/uplink/accept_ra",
                                "net/ipv4/conf/uplink/forwarding", "net/ipv6/conf/uplink/forwarding"}) {
    text += netlib::sysctl::read(parameter).value() + "\n";
  }
  return text + outputOf({"ip", "-d", "-o", "link"}) + outputOf({"ip", "-o", "addr"}) +
         outputOf({"ip", "-4", "route", "show", "table", "all"}) +
         outputOf({"ip", "-6", "route", "show", "table", "all"}) + outputOf({"nft", "-s", "list", "ruleset"});
}

bool wantsAll() {
  const char* wish = std::getenv("PONS_TEST_LONG");
  return wish != nullptr && std::string{wish} == "1";
}

}  // namespace support
