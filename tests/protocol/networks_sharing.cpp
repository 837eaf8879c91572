// Networks of different names on one bridge, each with a range or an address of its own in one subnet: they share the
// gateway and reach each other, in any order of ADDs and DELs, and no address is given twice.
#include <memory>
#include <set>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

std::string configFor(const std::string& network, const std::string& members) {
  return R"({"cniVersion": "1.1.0", "type": "pons", "name": ")" + network + R"(", "bridge": "shared", )" + members +
         "}";
}

std::string rangeIn(const std::string& first, const std::string& last) {
  return R"({"subnet": "10.44.0.0/16", "rangeStart": ")" + first + R"(", "rangeEnd": ")" + last +
         R"(", "gateway": "10.44.0.1"})";
}

/// "ipam" with these members besides.
std::string range(const std::string& first, const std::string& last, const std::string& more = {}) {
  return R"("ipam": {)" + more + R"("ranges": [[)" + rangeIn(first, last) + "]]}";
}

std::string fixed(const std::string& address, const std::string& gateway = "10.44.0.1") {
  return R"("ipam": {"type": "static", "addresses": [{"address": ")" + address + R"(", "gateway": ")" + gateway +
         "\"}]}";
}

const std::string kHostLocal = R"("type": "host-local", "dataDir": "/run/hl", )";

enum class Kind : std::uint8_t { Native, HostLocal, Static };

/// The addresses of the network of that number, in both families.
std::string ipamOf(Kind kind, int number) {
  const std::string four = "10.44." + std::to_string(number);
  const std::string six = "fd44::" + std::to_string(number);
  if (kind == Kind::Static) {
    return R"("ipam": {"type": "static", "addresses": [{"address": ")" + four +
           R"(.10/16", "gateway": "10.44.0.1"}, {"address": ")" + six + R"(:10/64", "gateway": "fd44::1"}]})";
  }
  return R"("ipam": {)" + (kind == Kind::HostLocal ? kHostLocal : "") + R"("ranges": [[)" +
         rangeIn(four + ".10", four + ".99") + R"(], [{"subnet": "fd44::/64", "rangeStart": ")" + six +
         R"(:10", "rangeEnd": ")" + six + R"(:99", "gateway": "fd44::1"}]]})";
}

/// Answers in both families, as Server does.
class Servers {
 public:
  Servers(const Place& place, std::uint16_t port, const std::string& label) {
    for (const char* any : {"0.0.0.0", "::"}) {
      servers_.push_back(std::make_unique<Server>(place, Transport::Tcp, endpoint(any, port), label));
    }
  }

 private:
  std::vector<std::unique_ptr<Server>> servers_;
};

/// A network with one container, which bears its name.
class Member {
 public:
  Member(std::string name, const std::string& members) : name_(std::move(name)), config_(configFor(name_, members)) {}

  void add() {
    const Outcome added = support::add(config_, subjectOf(name_));
    const auto result = resultOf(added);
    result_ = added.out;
    for (const auto& ip : result["ips"].items()) {
      const std::string address = support::textOf(ip["address"]);
      addresses_.push_back(address.substr(0, address.find('/')));
    }
    servers_.emplace(place(), std::uint16_t{80}, name_);
  }
  void check() const { checkSilent(support::check(withPrevious(config_, result_), subjectOf(name_))); }
  void del() {
    end();
    checkSilent(support::del(config_, subjectOf(name_)));
  }
  /// Of its processes.
  void end() { servers_.reset(); }
  /// That no container of the network is left.
  void gc() const { CHECK(callForNetwork("GC", withValid(config_, {})).ok()); }

  std::string place() const { return "/run/netns/" + name_; }
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  std::string name_;
  std::string config_;
  std::string result_;
  std::vector<std::string> addresses_;
  std::optional<Servers> servers_;
};

std::optional<std::string> answerTo(const Member& member, const std::string& address, std::uint16_t port) {
  return ask(member.place(), Transport::Tcp, endpoint(address, port));
}

/// What is true of all that are attached.
void checkAll(const std::vector<Member*>& members, bool isGateway) {
  for (const Member* member : members) {
    member->check();
    for (const Member* other : members) {
      if (other == member) continue;
      for (const std::string& address : other->addresses()) CHECK(answerTo(*member, address, 80));
    }
    if (!isGateway) continue;
    for (const char* gateway : {"10.44.0.1", "fd44::1"}) CHECK(answerTo(*member, gateway, 81));
    CHECK(answerTo(*member, "192.0.2.2", 90) == "outside 192.0.2.1");  // masqueraded
  }
}

int usedBy(const std::string& network) {
  const auto networks = documentOf(ponsctl({"networks", "--json", "--config-dir", "/run/net.d"}));
  for (const auto& one : networks["networks"].items()) {
    if (textOf(one["network"]) == network) return static_cast<int>(one["pools"].items()[0]["used"].integer().value());
  }
  return -1;
}

}  // namespace

TEST_CASE("Networks share a bridge, its gateway and a subnet, in every kind of IPAM and order of DELs") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Kind kind : {Kind::Native, Kind::HostLocal, Kind::Static}) {
    for (const bool isGateway : {true, false}) {
      for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 1, 2}, {2, 1, 0}, {1, 0}, {0, 1}}) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(isGateway);
        CAPTURE(order.front());
        FakeHost host;
        const std::string outside = host.addOutside();
        const std::vector<std::string> names{"one", "two", "three"};
        for (const std::string& name : names) host.addNamespace(name);
        const Unchanged unchanged{host};
        const Server there{outside, Transport::Tcp, endpoint("192.0.2.2", 90), "outside"};
        const Servers here{kHere, 81, "gateway"};
        std::vector<Member> members;
        for (std::size_t i = 0; i < order.size(); ++i) {
          const std::string mode = isGateway ? "" : R"("isGateway": false, "ipMasq": false, )";
          members.emplace_back(names[i], mode + ipamOf(kind, static_cast<int>(i) + 1));
        }
        std::vector<Member*> attached;
        for (Member& member : members) {
          member.add();
          attached.push_back(&member);
        }
        checkAll(attached, isGateway);
        for (const std::size_t leaving : order) {
          members[leaving].del();
          members[leaving].gc();
          std::erase(attached, &members[leaving]);
          checkAll(attached, isGateway);
        }
      }
    }
  }
}

TEST_CASE("After a flush, repair restores what networks on one bridge share and what each has") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  const Server there{outside, Transport::Tcp, endpoint("192.0.2.2", 90), "outside"};
  const Servers here{kHere, 81, "gateway"};
  for (const char* name : {"one", "two", "three"}) host.addNamespace(name);
  std::vector<Member> members;
  members.emplace_back("one", ipamOf(Kind::Native, 1));
  members.emplace_back("two", ipamOf(Kind::Static, 2));
  members.emplace_back("three", ipamOf(Kind::HostLocal, 3));
  for (Member& member : members) member.add();
  for (const char* damage : {"nft flush ruleset", "ip addr del 10.44.0.1/16 dev shared"}) {
    shell(damage);
    CHECK(repair().ok());
    checkAll({&members[0], &members[1], &members[2]}, true);
  }
  members[0].del();
  members[0].gc();
  checkAll({&members[1], &members[2]}, true);
}

TEST_CASE("Ranges that overlap on one bridge are refused with the other network's name, and nothing is left") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("one");
  host.addNamespace("c2");
  Member one{"one", range("10.44.0.10", "10.44.0.99")};
  one.add();
  const Unchanged unchanged{host};
  for (const std::string& more : {std::string{}, kHostLocal}) {
    checkError(add(configFor("two", range("10.44.0.50", "10.44.0.150", more)), subjectOf("c2")),
               ErrorCode::InvalidConfig,
               {"network two's range 10.44.0.50-10.44.0.150 overlaps 10.44.0.10-10.44.0.99 of network one on bridge "
                "shared"});
  }
  const std::string disjoint = configFor("two", range("10.44.0.100", "10.44.0.150"));
  resultOf(add(disjoint, subjectOf("c2")));
  one.check();
  checkSilent(del(disjoint, subjectOf("c2")));
}

TEST_CASE("A gateway address has one prefix length on a bridge; another one is refused with its user's name") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("one");
  host.addNamespace("c2");
  Member one{"one", range("10.44.0.10", "10.44.0.99")};
  one.add();
  const std::string other = configFor("two", fixed("10.44.0.200/24"));
  {
    const Unchanged unchanged{host};
    checkError(add(other, subjectOf("c2")), ErrorCode::InvalidConfig,
               {"gateway address 10.44.0.1/24", "prefix length 16", "container one (eth0) of network one"});
  }
  one.check();
  SUBCASE("until it leaves") { one.del(); }
  SUBCASE("until it is dead") {
    one.end();
    host.endNamespace("/run/netns/one");
  }
  resultOf(add(other, subjectOf("c2")));
  CHECK(contains(outputOf({"ip", "-4", "-br", "addr", "show", "dev", "shared"}), "10.44.0.1/24"));
}

TEST_CASE("A network's range never gives an address that another network on the bridge has given, to the last one") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string& more : {std::string{}, kHostLocal}) {
    CAPTURE(more);
    FakeHost host;
    for (const char* name : {"s1", "s2", "late"}) host.addNamespace(name);
    resultOf(add(configFor("two", fixed("10.44.0.20/16")), subjectOf("s1")));
    resultOf(add(configFor("three", fixed("10.44.0.30/16")), subjectOf("s2")));
    std::set<std::string> given{"10.44.0.20", "10.44.0.30"};
    const std::string pool = configFor("one", range("10.44.0.10", "10.44.0.41", more));
    for (int number = 1; number <= 30; ++number) {
      const std::string container = "c" + std::to_string(number);
      host.addNamespace(container);
      CHECK(given.insert(addressIn(resultOf(add(pool, subjectOf(container))))).second);
    }
    checkError(add(pool, subjectOf("late")), ErrorCode::TryAgain, {"32 of 32 addresses"});
    CHECK(usedBy("one") == 32);
    checkError(add(configFor("four", fixed("10.44.0.10/16")), subjectOf("late")), ErrorCode::InvalidConfig,
               {"10.44.0.10 is leased to container", "of network one"});
    checkError(add(configFor("four", fixed("10.44.0.20/16")), subjectOf("late")), ErrorCode::InvalidConfig,
               {"10.44.0.20 is leased to container s1 (eth0) of network two"});
    checkSilent(del(configFor("two", fixed("10.44.0.20/16")), subjectOf("s1")));
    CHECK(addressIn(resultOf(add(pool, subjectOf("late")))) == "10.44.0.20");
  }
}

TEST_CASE("What a dead container of another network on the bridge has is reclaimed for one that needs it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  struct Need {
    std::string dead;  // members of network "one"
    std::string wanted;
  };
  const Need needs[] = {
      {range("10.44.0.10", "10.44.0.99"), range("10.44.0.50", "10.44.0.150")},             // the range
      {range("10.44.0.10", "10.44.0.10"), fixed("10.44.0.10/16")},                         // a fixed address
      {fixed("10.44.0.10/16"), range("10.44.0.10", "10.44.0.10")},                         // the last of a range
      {fixed("10.44.0.10/16"), range("10.44.0.10", "10.44.0.10", kHostLocal)},             // the same
      {fixed("10.44.0.10/16"), fixed("10.44.0.10/16")},                                    // the same fixed one
      {range("10.44.0.10", "10.44.0.99", kHostLocal), range("10.44.0.99", "10.44.0.99")},  // the end of a range
  };
  for (const Need& need : needs) {
    CAPTURE(need.dead);
    CAPTURE(need.wanted);
    FakeHost host;
    for (const char* container : {"d1", "living"}) host.addNamespace(container);
    resultOf(add(configFor("one", need.dead), subjectOf("d1")));
    const Outcome refused = add(configFor("two", need.wanted), subjectOf("living"));
    CHECK(!refused.ok());
    host.endNamespace("/run/netns/d1");
    const Outcome added = add(configFor("two", need.wanted), subjectOf("living"));
    resultOf(added);
    CHECK(contains(added.err, "reclaimed one d1 eth0"));
    checkSilent(check(withPrevious(configFor("two", need.wanted), added.out), subjectOf("living")));
    checkSilent(del(configFor("two", need.wanted), subjectOf("living")));
    CHECK(ledgerText().empty());
  }
}
