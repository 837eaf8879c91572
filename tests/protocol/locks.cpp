// Which verb waits for which lock: a lock that stays held stops the verbs that need it, for their lockTimeout, and no
// others.
#include <chrono>
#include <cstdio>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "netlib/os/file_lock.h"

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/at_once.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kLockTimeout = 2;  // seconds

/// A lock that stays held during the lifetime of this object.
class Held {
 public:
  explicit Held(const std::string& path)
      : lock_(
            netlib::FileLock::acquire(netlib::UniqueFd{open(path.c_str(), O_RDONLY | O_CLOEXEC)}, milliseconds{0}, path)
                .value()) {}

 private:
  netlib::FileLock lock_;
};

std::string record(const std::string& attachment, const std::string& network = "demo") {
  return "/run/pons/networks/" + network + "/attachments/" + attachment + ":eth0.json";
}

const std::string kHostLock = "/run/pons/lock";
const Subject kNobody{.container = "", .netns = "", .ifName = ""};

/// A container in a network of the reference's kind, whose number makes bridge, subnet and host port its own.
class Container {
 public:
  Container(const std::string& name, const std::string& network, int networkNumber, int number)
      : subject_(subjectOf(name)) {
    const std::string wait = R"("lockTimeout": )" + std::to_string(kLockTimeout);
    const std::string digit = std::to_string(networkNumber);
    links_ = {{"bridge",
               wait + R"(, "bridge": "br)" + digit + R"(", "isGateway": true, "ipMasq": true,
                 "ipam": {"type": "host-local", "dataDir": "/run/hl", "ranges": [[{"subnet": "10.4)" +
                   digit + R"(.0.0/24"}]]})",
               network},
              {"portmap", wait + ", " + publishing({{8000 + number, 80}}), network},
              {"bandwidth", wait + R"(, "ingressRate": 8000000, "ingressBurst": 8000000)", network},
              {"firewall", wait, network},
              {"tuning", wait + R"(, "mtu": 1400)", network}};
  }

  std::size_t length() const { return links_.size(); }
  Outcome call(const std::string& verb, std::size_t plugin) const {
    const std::string config = links_[plugin].config();
    return Plugins::call(links_[plugin].plugin, verb, result_.empty() ? config : withPrevious(config, result_),
                         subject_);
  }
  /// GC or STATUS of its network.
  Outcome ofNetwork(const std::string& verb) const {
    return Plugins::call(links_.front().plugin, verb, links_.front().config(), kNobody);
  }
  void add(std::size_t plugin) {
    const Outcome outcome = call("ADD", plugin);
    resultOf(outcome);
    result_ = outcome.out;
  }
  void addAll() {
    for (std::size_t plugin = 0; plugin < length(); ++plugin) add(plugin);
  }
  void check(std::size_t plugin) const { checkSilent(call("CHECK", plugin)); }
  void delAll() {
    for (std::size_t plugin = length(); plugin-- > 0;) checkSilent(call("DEL", plugin));
    result_.clear();
  }

 private:
  std::vector<Link> links_;
  Subject subject_;
  std::string result_;
};

template <class Work>
void endsAtOnce(Work work) {
  const auto begin = Clock::now();
  work();
  CHECK(Clock::now() - begin < milliseconds{1000});
}

using Calls = std::vector<std::function<Outcome()>>;

/// Begun together, each answers TryAgain when its lockTimeout has passed once.
void checkWaiting(const Calls& calls, const std::string& word) {
  const auto waits = [&](int number) {
    const auto begin = Clock::now();
    const Outcome outcome = calls[static_cast<std::size_t>(number)]();
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    const bool isRight = contains(outcome.out, R"("code": 11)") && contains(outcome.out, word) &&
                         took > milliseconds{kLockTimeout * 1000 - 100} &&
                         took < milliseconds{kLockTimeout * 1000 + 1500};
    if (!isRight) {
      std::fprintf(stderr, "call %d after %d ms: %s\n", number, static_cast<int>(took.count()), outcome.out.c_str());
    }
    return isRight;
  };
  CHECK(atOnce(static_cast<int>(calls.size()), waits) == static_cast<int>(calls.size()));
}

}  // namespace

TEST_CASE("While the lock of an unrelated attachment or network is held, every verb of every plugin ends at once") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  for (const char* name : {"c0", "c1", "o1"}) host.addNamespace(name);
  Container neighbour{"c0", "demo", 0, 0};
  Container stranger{"o1", "other", 1, 1};
  Container container{"c1", "demo", 0, 2};
  neighbour.addAll();
  stranger.addAll();
  const Unchanged unchanged{host};
  for (const std::string& path : {record("c0"), std::string{"/run/pons/networks/demo/attachments/c0:eth0:tuning.json"},
                                  record("o1", "other"), std::string{"/run/hl/other/lock"}}) {
    CAPTURE(path);
    const Held held{path};
    for (std::size_t plugin = 0; plugin < container.length(); ++plugin) endsAtOnce([&] { container.add(plugin); });
    for (std::size_t plugin = 0; plugin < container.length(); ++plugin) endsAtOnce([&] { container.check(plugin); });
    endsAtOnce([&] { checkSilent(container.ofNetwork("STATUS")); });
    endsAtOnce([&] { checkSilent(container.ofNetwork("GC")); });
    endsAtOnce([&] { container.delAll(); });
  }
}

TEST_CASE("A verb that needs a lock that stays held answers TryAgain, after its lockTimeout; others end at once") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  for (const char* name : {"c1", "c2", "c3"}) host.addNamespace(name);
  const Unchanged unchanged{host};
  Container whole{"c1", "demo", 0, 1};
  Container first{"c2", "demo", 0, 2};  // with the first plugin of its chain alone
  const Container none{"c3", "demo", 0, 3};
  whole.addAll();
  first.add(0);
  const auto calling = [](const Container& container, const std::string& verb, std::size_t plugin) {
    return [&container, verb, plugin] { return container.call(verb, plugin); };
  };
  const auto collecting = [&] { return none.ofNetwork("GC"); };

  {
    const Held main{record("c1")};
    const Held chained{"/run/pons/networks/demo/attachments/c1:eth0:portmap.json"};
    for (const std::size_t plugin : {2U, 3U, 4U}) endsAtOnce([&] { whole.check(plugin); });
    endsAtOnce([&] { checkSilent(whole.ofNetwork("STATUS")); });
    endsAtOnce([&] { checkSilent(collecting()); });
    Calls calls;
    for (const std::string verb : {"ADD", "CHECK", "DEL"}) {
      for (const std::size_t plugin : {0U, 1U}) calls.push_back(calling(whole, verb, plugin));
    }
    checkWaiting(calls, "record of container c1");
  }
  {
    const Held lock{kHostLock};
    for (std::size_t plugin = 0; plugin < whole.length(); ++plugin) endsAtOnce([&] { whole.check(plugin); });
    endsAtOnce([&] { checkSilent(whole.ofNetwork("STATUS")); });
    Calls calls{collecting, calling(none, "ADD", 0)};
    for (std::size_t plugin = 1; plugin < first.length(); ++plugin) calls.push_back(calling(first, "ADD", plugin));
    for (std::size_t plugin = 0; plugin < whole.length(); ++plugin) calls.push_back(calling(whole, "DEL", plugin));
    checkWaiting(calls, "host lock");
  }
  {
    const Held lock{"/run/hl/demo/lock"};
    endsAtOnce([&] { first.check(0); });
    endsAtOnce([&] { checkSilent(first.ofNetwork("STATUS")); });
    checkWaiting({collecting, calling(none, "ADD", 0), calling(first, "DEL", 0)}, "host-local's lock");
  }
  // What was begun is finished once the locks are free.
  whole.delAll();
  checkSilent(first.call("DEL", 0));
}

TEST_CASE(
    "A chained plugin waits neither for the record of its network's attachment nor, where it is damaged, for itself") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const Link pons{"pons", R"("macspoofchk": false, "ipSpoofCheck": false, "ipam": {"subnet": "10.42.0.0/24"})"};
  const Link tuning{"tuning", R"("mac": "02:11:22:33:44:55", "lockTimeout": 5)"};
  const Outcome attached = Plugins::call("pons", "ADD", pons.config());
  resultOf(attached);
  const std::string config = withPrevious(tuning.config(), attached.out);
  {
    const Held held{record("c1")};
    endsAtOnce([&] { resultOf(Plugins::call("tuning", "ADD", config)); });
    endsAtOnce([&] { checkSilent(Plugins::call("tuning", "DEL", config)); });
  }
  shell("echo '{ damaged' > " + record("c1"));
  endsAtOnce([&] {
    const Outcome refused = Plugins::call("tuning", "ADD", config);
    checkError(refused, ErrorCode::Io, {"\"mac\"", "demo c1 eth0", "cannot be read"});
    CHECK(!contains(refused.out, "lock held by"));
  });
  checkSilent(Plugins::call("tuning", "DEL", config));
  checkSilent(Plugins::call("pons", "DEL", pons.config()));
}
