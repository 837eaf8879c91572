// What a warm ADD and DEL may cost, in counts: a regression fails whatever the machine's mood. Their times are measured
// by scripts/bench.
#include <filesystem>
#include <fstream>
#include <map>

#include <doctest/doctest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/netlink/socket.h"

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"
#include "tests/support/tracer.h"

using namespace support;

namespace {

struct Spent {
  int calls =
      0;  ///< system calls from the first read() of the configuration on; what is before is libc's start and ours
  int programs = 0;                        ///< started, besides itself
  int exchanges = 0;                       ///< datagrams sent to the kernel
  std::map<std::string, int> byName = {};  ///< of the calls
  int linkDumps = 0;
  int listings = 0;  ///< of directories, but for a hold: of those at most two entries are read
};

Spent spentIn(const std::string& trace) {
  Spent spent;
  bool started = false;
  std::ifstream lines{trace};
  for (std::string line; std::getline(lines, line);) {
    started |= line.starts_with("read(0,");
    // The kernel restarts the write of a parameter for as long as another process holds the RTNL lock.
    if (!started || line.starts_with("+++") || contains(line, "(To be restarted)")) continue;
    ++spent.calls;
    ++spent.byName[line.substr(0, line.find('('))];
    if (line.starts_with("execve(") || line.starts_with("clone") || line.starts_with("vfork(")) ++spent.programs;
    if (line.starts_with("sendto(")) ++spent.exchanges;
    if (contains(line, "RTM_GETLINK") && contains(line, "NLM_F_DUMP")) ++spent.linkDumps;
    if (contains(line, "O_DIRECTORY") && !contains(line, "\"/run/pons\"") && !contains(line, "\"holds/") &&
        !contains(line, "ENOENT")) {
      ++spent.listings;
    }
  }
  return spent;
}

Spent spentBy(const std::string& verb, const std::string& config, const Subject& subject,
              const std::string& program = PONS_BINARY) {
  const Scratch scratch;
  const std::string trace = scratch / "trace";
  const Outcome done =
      run({"strace", "-qq", "-o", trace, program}, {.environment = environmentOf(verb, subject), .input = config});
  REQUIRE_MESSAGE(done.ok(), done.out << done.err);
  return spentIn(trace);
}

/// Of the running kernel, measured: what an older one lacks costs more.
struct KernelAbilities {
  bool answersNewLinks;       ///< RTM_NEWLINK with NLM_F_ECHO (Linux 6.2); else the peer's index is asked for
  bool deletesFlowsByFilter;  ///< Linux 6.8; else those of each filter are listed (conntrack::removeListed())
};

KernelAbilities abilities() {
  using netlib::Batch;
  using netlib::Socket;
  auto route = Socket::open(Socket::Subsystem::Route).value();
  auto netfilter = Socket::open(Socket::Subsystem::Netfilter).value();
  ifinfomsg any{};
  Batch link;
  link.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO | NLM_F_ACK, any, "create a link");
  link.putText(IFLA_IFNAME, "probe");
  {
    const auto info = link.nest(IFLA_LINKINFO);
    link.putText(IFLA_INFO_KIND, "bridge");
  }
  const auto created = route.request(link);
  REQUIRE(created.ok());
  shell("ip link del probe");

  nfgenmsg ipv4{};
  ipv4.nfgen_family = AF_INET;
  Batch flows;
  flows.begin(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK, ipv4, "delete flows");
  {
    const auto tuple = flows.nest(CTA_TUPLE_ORIG);
    const auto ip = flows.nest(CTA_TUPLE_IP);
    flows.putU32(CTA_IP_V4_SRC, 0);
  }
  {
    const auto filter = flows.nest(CTA_FILTER);
    flows.putU32(CTA_FILTER_ORIG_FLAGS, 1);  // of the source address
  }
  return {.answersNewLinks = !created->front().messages.empty(), .deletesFlowsByFilter = netfilter.request(flows).ok()};
}

struct Budget {
  int calls;
  int exchanges;
};

/// An ADD that creates a veth.
Budget adding(Budget budget) {
  if (abilities().answersNewLinks) return budget;
  return {.calls = budget.calls + 4, .exchanges = budget.exchanges + 2};
}

/// A DEL of two filters: two addresses, or two published ports.
Budget deleting(Budget budget) {
  if (abilities().deletesFlowsByFilter) return budget;
  return {.calls = budget.calls + 8, .exchanges = budget.exchanges + 3};
}

void checkSpent(const Spent& spent, const Budget& budget) {
  std::string calls;
  for (const auto& [name, count] : spent.byName) calls += name + " " + std::to_string(count) + ", ";
  CAPTURE(calls);
  CHECK(spent.calls <= budget.calls);
  CHECK(spent.exchanges <= budget.exchanges);
  CHECK(spent.programs == 0);
  CHECK(spent.linkDumps == 0);
  CHECK(spent.listings == 0);
}

}  // namespace

TEST_CASE("A warm ADD and DEL with masquerade and two published ports stay within their system calls and datagrams") {
  if (!canTrace()) return FakeHost::countSkip("needs ptrace");
  REQUIRE_FAKE_HOST(host);
  const std::string both = R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}, )"
                           R"({"hostPort": 8080, "containerPort": 53, "protocol": "udp"}]})";
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/16"})"};
  int port = 9000;
  for (const char* other : {"r1", "r2", "r3"}) demo.attach(host, other, publishing({{++port, 80}}));
  host.addNamespace("c1");
  checkSpent(spentBy("ADD", demo.config(both), subjectOf("c1")), adding({.calls = 97, .exchanges = 10}));
  // One of a DEL looks whose veth it is: another ledger's with the same key has the same name. And one looks whether
  // the bridge has VLANs, as their gateways' links follow its MTU.
  checkSpent(spentBy("DEL", demo.config(both), subjectOf("c1")), deleting({.calls = 75, .exchanges = 4}));
}

TEST_CASE("An egress policy costs the thirtieth container the datagrams and system calls that it costs the second") {
  if (!canTrace()) return FakeHost::countSkip("needs ptrace");
  REQUIRE_FAKE_HOST(host);
  if (!std::filesystem::exists("/proc/sys/net/bridge")) return FakeHost::countSkip("needs br_netfilter");
  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/16"}], [{"subnet": "fd42::/64"}]]},
                          "dns": {"nameservers": ["192.0.2.53", "fd00::53"]},
                          "egressPolicy": {"allowedCidrs": ["10.0.0.0/8", "192.0.2.0/25", "2001:db8::/29"],
                                           "allowedTcpPorts": [80, 443]})"};
  for (int number = 1; number <= 30; ++number) {
    const std::string container = "c" + std::to_string(number);
    CAPTURE(container);
    if (number == 2 || number == 3 || number == 30) {
      host.addNamespace(container);
      checkSpent(spentBy("ADD", demo.config(), subjectOf(container)), adding({.calls = 118, .exchanges = 10}));
      checkSpent(spentBy("DEL", demo.config(), subjectOf(container)), deleting({.calls = 89, .exchanges = 8}));
      shell("ip netns del " + container);
    }
    demo.attach(host, container);
  }
}

TEST_CASE(
    "portmap behind a masquerading bridge costs the thirtieth container what it costs the second, and less than all") {
  if (!canTrace()) return FakeHost::countSkip("needs ptrace");
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  const Link bridge{"bridge", R"("isGateway": true, "ipMasq": true, "ipam": {"subnet": "10.42.0.0/16"})"};
  for (int number = 1; number <= 30; ++number) {
    const std::string container = "c" + std::to_string(number);
    CAPTURE(container);
    host.addNamespace(container);
    const Link portmap{"portmap", publishing({{8000 + number, 80}, {9000 + number, 81}})};
    const Outcome main = Plugins::call("bridge", "ADD", bridge.config(), subjectOf(container));
    resultOf(main);
    const std::string config = withPrevious(portmap.config(), main.out);
    const bool counted = number == 2 || number == 3 || number == 30;
    if (counted) {
      checkSpent(spentBy("ADD", config, subjectOf(container), "/run/plugins/portmap"), {.calls = 67, .exchanges = 5});
      checkSpent(spentBy("DEL", config, subjectOf(container), "/run/plugins/portmap"),
                 deleting({.calls = 52, .exchanges = 2}));
    }
    resultOf(Plugins::call("portmap", "ADD", config, subjectOf(container)));
  }
}
