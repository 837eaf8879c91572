// ponsctl watch beside firewalld: a reload removes the accept rules in its chains, in transactions of nf_tables. Their
// events suffice; its signal "Reloaded" on the system bus would come later, and not from other firewalls.
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/protocol/network.h"
#include "tests/support/eventually.h"
#include "tests/tools/tool_run.h"

using namespace support;
using namespace std::chrono_literals;

namespace {

int execute(const std::string& line) {
  execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  return 127;
}

/// The system bus and firewalld, in the namespaces of this thread.
class Firewalld {
 public:
  Firewalld()
      : bus_([] { return execute("mkdir -p /run/dbus; exec dbus-daemon --system --nofork --nopidfile"); }), daemon_([] {
          while (!std::filesystem::exists("/run/dbus/system_bus_socket")) usleep(10'000);
          return execute("exec firewalld --nofork --nopid >/run/firewalld.log 2>&1");
        }) {
    REQUIRE(eventually([] { return run({"firewall-cmd", "--state"}).ok(); }, 60s));
  }

 private:
  ForkedProcess bus_;
  ForkedProcess daemon_;
};

}  // namespace

TEST_CASE("On a host: ponsctl watch restores what a reload of firewalld removes, upon the events of nf_tables") {
  if (!std::filesystem::exists("/usr/sbin/firewalld")) return FakeHost::countSkip();
  REQUIRE_FAKE_HOST(host);
  const Firewalld firewalld;
  Network demo{"demo", R"("ipMasq": true, "ipam": {"subnet": "10.42.0.0/24"})"};
  Network web{"web", R"("bridge": "pons-web", "ipam": {"subnet": "10.43.0.0/24"})"};
  demo.attach(host, "c1", publishing({{8080, 80}}));
  web.attach(host, "c2");
  const ForkedProcess watcher{[] {
    execl(PONSCTL_BINARY, "ponsctl", "watch", "--interval", "3600", nullptr);
    return 127;
  }};
  for (const char* reload : {"--reload", "--complete-reload", "--reload"}) {
    CAPTURE(reload);
    outputOf({"firewall-cmd", reload});
    const auto isHealthy = [] { return tool({"check"}).ok(); };
    // firewalld goes on after its answer.
    const auto staysHealthy = [&] { return isHealthy() && (std::this_thread::sleep_for(500ms), isHealthy()); };
    CHECK(eventually(staysHealthy, 20s));
    demo.checkAll();
    web.checkAll();
  }
}
