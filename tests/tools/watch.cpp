// ponsctl watch: what it heals without being called, how often it looks, and what it reports to a service manager.
#include <csignal>
#include <cstring>
#include <fstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/protocol/network.h"
#include "tests/support/eventually.h"
#include "tests/tools/tool_run.h"

using namespace support;
using namespace std::chrono_literals;

namespace {

constexpr const char* kSubnet = R"("ipam": {"subnet": "10.42.0.0/24"})";
constexpr const char* kLog = "/run/watch.log";
constexpr const char* kNever = "3600";  // then only events start a pass

/// A running ponsctl watch, whose log is kLog.
class Watcher {
 public:
  explicit Watcher(const std::vector<std::string>& options, const std::vector<std::string>& environment = {})
      : process_([argv = argvOf(options), environment] {
          dup2(open(kLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644), STDERR_FILENO);
          std::vector<char*> words = pointersTo(argv);
          std::vector<char*> variables = pointersTo(environment);
          execve(words.front(), words.data(), variables.data());
          return 127;
        }) {}

  /// After its first pass.
  static void awaitStart() {
    REQUIRE(eventually([] { return passes() > 0; }));
  }

  static std::string log() { return std::filesystem::exists(kLog) ? contentOf(kLog) : ""; }

  static std::size_t passes() {
    std::size_t count = 0;
    const std::string text = log();
    for (auto at = text.find("pass took"); at != std::string::npos; at = text.find("pass took", at + 1)) ++count;
    return count;
  }

  /// Its exit code after that signal; -1 if it has not ended within seconds.
  int endBy(int signal) const {
    kill(process_.pid(), signal);
    siginfo_t ended{};
    const auto hasEnded = [&] {
      return waitid(P_PID, static_cast<id_t>(process_.pid()), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
             ended.si_pid != 0;
    };
    return eventually(hasEnded) && ended.si_code == CLD_EXITED ? ended.si_status : -1;
  }

 private:
  static std::vector<std::string> argvOf(const std::vector<std::string>& options) {
    std::filesystem::remove(kLog);  // of an earlier one
    std::vector<std::string> argv{PONSCTL_BINARY, "watch", "--verbose", "--config-dir", "/run/net.d"};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
  }
  static std::vector<char*> pointersTo(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
  }

  ForkedProcess process_;
};

bool isHealthy() { return tool({"check"}).ok(); }

/// The service manager's end of NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& address) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    address.copy(own.sun_path, sizeof own.sun_path - 1);
    if (address.front() == '@') own.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&own), length) == 0);
  }

  /// The next datagram; empty if none comes within seconds.
  std::string next() const {
    pollfd one{fd_.get(), POLLIN, 0};
    if (poll(&one, 1, 5000) <= 0) return {};
    std::array<char, 100> text{};
    const ssize_t length = recv(fd_.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
  }

 private:
  netlib::UniqueFd fd_;
};

}  // namespace

TEST_CASE("On a host: ponsctl watch restores what another program removes, upon its event alone") {
  for (const std::size_t containers : {std::size_t{1}, std::size_t{3}}) {
    CAPTURE(containers);
    REQUIRE_FAKE_HOST(host);
    std::filesystem::create_directories("/run/net.d");
    Network demo{"demo", std::string{R"("ipMasq": true, )"} + kSubnet};
    for (std::size_t i = 0; i < containers; ++i) {
      demo.attach(host, "c" + std::to_string(i), publishing({{8080 + static_cast<int>(i), 80}}));
    }
    const Watcher watcher{{"--interval", kNever}};
    Watcher::awaitStart();
    for (const char* damage : {"nft flush ruleset", "nft delete table ip pons", "ip link set pons-demo down",
                               "ip link del pons-demo", "nft flush ruleset"}) {
      CAPTURE(damage);
      shell(damage);
      CHECK_MESSAGE(eventually(isHealthy, 20s), Watcher::log());
      demo.checkAll();
    }
    CHECK(eventually([] { return contains(Watcher::log(), "restored: bridge pons-demo (was missing)\n"); }));
  }
}

TEST_CASE("On a host: ponsctl watch restores at its interval what makes no event, and removes the dead") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directories("/run/net.d");
  Network demo{"demo", kSubnet};
  for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name);
  const Watcher watcher{{"--interval", "1"}};
  Watcher::awaitStart();
  shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
  CHECK_MESSAGE(eventually(isHealthy, 20s), Watcher::log());
  CHECK(eventually([] { return contains(Watcher::log(), "ip_forward (was 0)\n"); }));

  host.endNamespace("/run/netns/c2");
  CHECK(eventually([&] { return !std::filesystem::exists(recordOf(demo, "c2")); }, 20s));
  CHECK(eventually([] { return contains(Watcher::log(), "removed: attachment eth0 of container c2, network demo"); }));
  demo.forget("c2");
  demo.checkAll();
  for (const char* name : {"c1", "c3"}) checkSilent(demo.del(name));
}

TEST_CASE("On a host: ponsctl watch leaves alone what has no record, which may be in use") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directories("/run/net.d");
  Network demo{"demo", kSubnet};
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  shell("rm " + recordOf(demo, "c1"));
  const std::string before = outputOf({"ip", "-o", "link", "show", "master", "pons-demo"});
  const Watcher watcher{{"--interval", "1"}};
  REQUIRE(eventually([] { return Watcher::passes() > 2; }, 20s));
  CHECK(outputOf({"ip", "-o", "link", "show", "master", "pons-demo"}) == before);
}

TEST_CASE("On a host: many events make few passes, and a pass that changes something makes no loop") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directories("/run/net.d");
  Network demo{"demo", kSubnet};
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  const Watcher watcher{{"--interval", kNever}};
  Watcher::awaitStart();
  const std::size_t first = Watcher::passes();
  std::string events;
  for (int i = 0; i < 30; ++i) events += "add table ip t" + std::to_string(i) + "\n";
  setContent("/run/events.nft", events);
  const auto start = std::chrono::steady_clock::now();
  shell("nft -f /run/events.nft; for i in $(seq 30); do ip link set lo alias $i; done");
  CHECK(eventually([&] { return Watcher::passes() > first; }));
  std::this_thread::sleep_for(3s);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start);
  const auto most = first + 2 + static_cast<std::size_t>(seconds.count()) - 3;
  CHECK_MESSAGE(Watcher::passes() <= most, Watcher::log());

  const std::size_t second = Watcher::passes();
  shell("nft flush ruleset");
  CHECK(eventually(isHealthy, 20s));
  std::this_thread::sleep_for(8s);
  CHECK_MESSAGE(Watcher::passes() <= second + 3, Watcher::log());  // the repair, and one look at its own events
}

TEST_CASE("On a host: ponsctl watch runs before anything is attached, and goes on after an error") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directories("/run/net.d");
  const Watcher watcher{{"--interval", "1"}};
  Watcher::awaitStart();
  CHECK(!std::filesystem::exists("/run/pons"));
  Network demo{"demo", kSubnet};
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  const std::string record = contentOf(recordOf(demo, "c1"));
  setContent(recordOf(demo, "c1"), R"({"format": 99})");
  const auto isReported = [] { return contains(Watcher::log(), "demo c1 eth0: "); };
  CHECK_MESSAGE(eventually(isReported, 20s), Watcher::log());
  shell("ip link set pons-demo down");
  CHECK(eventually([] { return contains(Watcher::log(), "restored: bridge pons-demo (was down)"); }, 20s));
  setContent(recordOf(demo, "c1"), record);
  CHECK(eventually(isHealthy, 20s));
}

TEST_CASE(
    "On a host: ponsctl watch reports to its service manager that it is ready and alive, and ends with status 0") {
  struct Manager {
    std::string address;
    int signal;
  };
  for (const Manager& manager : {Manager{"/run/notify", SIGTERM}, Manager{"@pons-watch-test", SIGINT}}) {
    CAPTURE(manager.address);
    REQUIRE_FAKE_HOST(host);
    std::filesystem::create_directories("/run/net.d");
    const NotifySocket notified{manager.address};
    const Watcher watcher{{"--interval", kNever}, {"NOTIFY_SOCKET=" + manager.address, "WATCHDOG_USEC=400000"}};
    CHECK(notified.next() == "READY=1");
    for (int i = 0; i < 3; ++i) CHECK(notified.next() == "WATCHDOG=1");
    CHECK(watcher.endBy(manager.signal) == 0);
    std::string last;
    for (std::string one = notified.next(); !one.empty() && last != "STOPPING=1"; one = notified.next()) last = one;
    CHECK(last == "STOPPING=1");
  }
}

TEST_CASE("On a host: ponsctl watch replaces the metrics file, whole and readable, and needs no directory for it") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directories("/run/net.d");
  std::filesystem::create_directories("/run/exporter");
  setContent("/run/victim", "untouched");
  std::filesystem::create_symlink("/run/victim", "/run/exporter/.pons.prom.draft");
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1");
  const Watcher watcher{{"--interval", kNever, "--metrics", "/run/exporter/pons.prom"}};
  const auto has = [](const std::string& line) {
    return eventually(
        [&] {
          return std::filesystem::exists("/run/exporter/pons.prom") &&
                 contains(contentOf("/run/exporter/pons.prom"), line);
        },
        30s);  // rarely on a busy host
  };
  CHECK(has("pons_attachments{network=\"demo\"} 1\n"));
  // Who has opened it keeps a whole old file.
  std::ifstream reader{"/run/exporter/pons.prom"};
  demo.attach(host, "c2");
  CHECK(has("pons_attachments{network=\"demo\"} 2\n"));
  const std::string old{std::istreambuf_iterator<char>{reader}, {}};
  CHECK(contains(old, "pons_attachments{network=\"demo\"} 1\n"));
  CHECK(contentOf("/run/victim") == "untouched");
  CHECK((std::filesystem::status("/run/exporter/pons.prom").permissions() & std::filesystem::perms{0777}) ==
        std::filesystem::perms{0644});
  CHECK(watcher.endBy(SIGTERM) == 0);

  const Watcher without{{"--interval", kNever, "--metrics", "/run/nowhere/pons.prom"}};
  Watcher::awaitStart();
  CHECK(!contains(Watcher::log(), "nowhere"));
}

TEST_CASE("ponsctl watch refuses an interval of nothing, and one that is no number") {
  for (const char* interval : {"0", "3601", "often", "-1"}) {
    CAPTURE(interval);
    CHECK(tool({"watch", "--interval", interval}).exitCode == 2);
  }
}
