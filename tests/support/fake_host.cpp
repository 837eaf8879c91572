#include "tests/support/fake_host.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlib/os/sysctl.h"

#include "tests/support/eventually.h"

namespace support {
namespace {

using netlib::UniqueFd;

constexpr const char* kOwnNetns = "/proc/thread-self/ns/net";
constexpr const char* kOwnMounts = "/proc/thread-self/ns/mnt";

void check(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::runtime_error(what + ": " + std::strerror(errno));
}

UniqueFd open(const std::string& path, int flags = O_RDONLY) {
  UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC, 0600)};
  check(bool{fd}, "open " + path);
  return fd;
}

// For destructors: nothing may go on in a namespace that it does not expect.
void comeBack(const UniqueFd& netns, int kind) {
  if (setns(netns.get(), kind) == 0) return;
  std::perror("the test cannot come back from a namespace");
  std::abort();
}

void setUp(const std::string& interface) {
  const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  check(ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0, "flags of " + interface);
  request.ifr_flags |= IFF_UP;
  check(ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0, "set up " + interface);
}

// The kernel notes the carrier of a new veth up to a second late, and IPv6 is not ready before; but it looks at once
// when it is asked for the link (linkwatch_sync_dev).
void waitForCarrier(const std::string& interface) {
  const auto isUp = [&] {
    return outputOf({"ip", "link", "show", "dev", interface}).find(" state UP ") != std::string::npos;
  };
  if (!eventually(isUp)) throw std::runtime_error("no carrier on " + interface);
}

// The kernel makes it some time after the address.
void waitForLocalRoute(const std::string& address) {
  const auto isThere = [&] { return !outputOf({"ip", "-6", "route", "show", "table", "local", address}).empty(); };
  if (!eventually(isThere)) throw std::runtime_error("no local route to " + address);
}

std::string linksIn(const std::string& netnsPath) {
  const Inside there{netnsPath};
  return outputOf({"ip", "-o", "link", "show", "type", "veth"});
}

// The names, on this host, of the other ends of the veths in that namespace.
std::vector<std::string> peersOf(const std::string& netnsPath) {
  std::istringstream words{linksIn(netnsPath)};
  std::vector<std::string> peers;
  for (std::string word; words >> word;) {
    const std::size_t at = word.find("@if");
    std::array<char, IFNAMSIZ> name{};
    if (at == std::string::npos) continue;
    const auto index = static_cast<unsigned>(std::stoul(word.substr(at + 3)));
    if (if_indextoname(index, name.data()) != nullptr) peers.emplace_back(name.data());
  }
  return peers;
}

// A link's name is free before its parameters are gone.
bool isGone(const std::string& link) {
  return if_nametoindex(link.c_str()) == 0 && !std::filesystem::exists("/proc/sys/net/ipv4/conf/" + link) &&
         !std::filesystem::exists("/proc/sys/net/ipv6/conf/" + link);
}

// "ip -batch -" of these commands.
void ip(const std::string& commands) {
  const Outcome outcome = run({"ip", "-batch", "-"}, {.environment = {}, .input = commands});
  if (!outcome.ok()) throw std::runtime_error("ip: " + outcome.err);
}

int skipped = 0;
void reportSkipped() { std::printf("skipped: %d\n", skipped); }

}  // namespace

Inside::Inside(const std::string& netnsPath) : back_(open(kOwnNetns)) {
  check(setns(open(netnsPath).get(), CLONE_NEWNET) == 0, "enter " + netnsPath);
}

Inside::~Inside() { comeBack(back_, CLONE_NEWNET); }

FakeHost::FakeHost()
    : originalNetns_(open(kOwnNetns)), originalMounts_(open(kOwnMounts)), originalDirectory_(open(".", O_PATH)) {
  check(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "unshare");
  check(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make the mounts private");
  check(mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0, "mount /run");
  for (const char* made : {"/run/netns", "/run/net.d"}) check(mkdir(made, 0755) == 0, std::string{"mkdir "} + made);
  setUp("lo");
  // A new namespace inherits this from the initial namespace, where it may be enabled.
  check(netlib::sysctl::write("net/ipv4/ip_forward", "0").ok(), "switch forwarding off");
}

FakeHost::~FakeHost() {
  comeBack(originalNetns_, CLONE_NEWNET);
  comeBack(originalMounts_, CLONE_NEWNS);
  // Entering a mount namespace moves the thread to its root directory.
  if (fchdir(originalDirectory_.get()) != 0) std::abort();
}

bool FakeHost::possible() {
  static const bool answer = runForked([] { return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 ? 0 : 1; }).ok();
  return answer;
}

void FakeHost::countSkip(const std::string& reason) {
  if (skipped == 0) std::atexit(reportSkipped);
  ++skipped;
  std::puts(("SKIPPED: " + reason).c_str());
}

std::string FakeHost::addNamespace(const std::string& name) {
  const std::string path = "/run/netns/" + name;
  const UniqueFd file = open(path, O_CREAT | O_EXCL);
  const UniqueFd back = open(kOwnNetns);
  check(unshare(CLONE_NEWNET) == 0, "unshare the network");
  const bool mounted = mount(kOwnNetns, path.c_str(), nullptr, MS_BIND, nullptr) == 0;
  comeBack(back, CLONE_NEWNET);
  check(mounted, "mount " + path);
  return path;
}

void FakeHost::removeNamespace(const std::string& path) {
  check(umount2(path.c_str(), MNT_DETACH) == 0, "umount " + path);
  check(unlink(path.c_str()) == 0, "unlink " + path);
}

void FakeHost::endNamespace(const std::string& path) {
  const std::vector<std::string> peers = peersOf(path);
  removeNamespace(path);
  const auto areGone = [&] { return std::ranges::all_of(peers, isGone); };
  if (!eventually(areGone)) throw std::runtime_error("namespace still in use: " + path);
}

std::string FakeHost::addOutside() {
  const std::string outside = addNamespace("outside");
  ip("link add uplink type veth peer name uplink netns outside\n");
  // Else IPv6 could not be forwarded to the outside for two seconds, for want of a link-local address.
  check(netlib::sysctl::write("net/ipv6/conf/uplink/accept_dad", "0").ok(), "switch address detection off");
  ip("addr add 192.0.2.1/24 dev uplink\n"
     "addr add 2001:db8:1::1/64 dev uplink nodad\n"
     "link set uplink up\n");
  inside(outside, [] {
    ip("link set lo up\n"
       "addr add 192.0.2.2/24 dev uplink\n"
       "addr add 2001:db8:1::2/64 dev uplink nodad\n"
       "link set uplink up\n");
    waitForCarrier("uplink");
  });
  waitForCarrier("uplink");
  waitForLocalRoute("2001:db8:1::1");
  ip("route add default via 192.0.2.2\n"
     "route add default via 2001:db8:1::2\n");
  return outside;
}

std::string FakeHost::dump(const std::filesystem::path& stateDir) const {
  return dumpNetwork() + (stateDir.empty() ? std::string{} : "== state\n" + dumpTree(stateDir));
}

}  // namespace support
