#include "tests/runtimes/machine.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/runtime.h"

namespace support {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kPlugins = "/opt/cni/bin";
constexpr const char* kConfigurations = "/etc/cni/net.d";
constexpr std::array kNames{"pons",    "bridge",   "host-local", "static", "loopback",
                            "portmap", "firewall", "bandwidth",  "tuning"};

void check(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

void mountEmpty(const std::string& directory) {
  check(mount("tmpfs", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0, "mount " + directory);
}

// Everything is still there, but what is written is seen here only.
void mountCopy(const std::string& name) {
  const std::string upper = "/run/overlay-" + name;
  fs::create_directories(upper + "/new");
  fs::create_directories(upper + "/work");
  const std::string options = "lowerdir=/" + name + ",upperdir=" + upper + "/new,workdir=" + upper + "/work";
  check(mount("overlay", ("/" + name).c_str(), "overlay", 0, options.c_str()) == 0, "mount a copy of /" + name);
}

void link(const fs::path& program, const std::string& name) { fs::create_symlink(program, fs::path{kPlugins} / name); }

void installPlugins() {
  fs::remove_all(kPlugins);
  fs::create_directories(kPlugins);
  if (const auto others = otherPlugins()) {
    for (const fs::directory_entry& plugin : fs::directory_iterator{*others}) link(plugin, plugin.path().filename());
    link(PONS_BINARY, "pons");
  } else {
    for (const char* name : kNames) link(PONS_BINARY, name);
  }
}

void makeImage() {
  support::outputOf({"/usr/bin/python3", std::string{PONS_SOURCE_DIR} + "/tests/runtimes/oci_image.py", "/bin/busybox",
                     kImageFile, kImageRoot});
}

/// PID 1 of the namespace: shown in /proc, and reaps orphaned processes.
[[noreturn]] void beInit(const netlib::UniqueFd& ready) {
  check(unshare(CLONE_NEWNS) == 0, "unshare the mounts");
  check(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0, "mount /proc");
  std::signal(SIGCHLD, SIG_IGN);
  eventfd_write(ready.get(), 1);
  for (;;) pause();
}

// The uplink and the rest of the world are outside of it.
constexpr const char* kReboot = R"(
kill -9 -1
grep -o ' /run/containerd[^ ]*' /proc/mounts | sort -r | xargs -r umount -l
for namespace in /run/netns/cni-*; do
  umount -l "$namespace"
  rm -f "$namespace"
done
rm -rf /run/containerd /run/pons
nft flush ruleset
ip -o link | sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p' | grep -vxE 'lo|uplink' | while read -r link; do ip link delete "$link"; done
for sysctl in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 0 >/proc/sys/net/$sysctl; done
for link in lo uplink; do echo 1 >/proc/sys/net/ipv6/conf/$link/accept_ra; done
)";

bool installed(const std::string& program) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/bin/"}) {
    if (fs::exists(directory + program)) return true;
  }
  return false;
}

std::string list(const std::string& directory) {
  std::vector<std::string> names;
  if (fs::exists(directory)) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator{directory}) {
      // host-local's memory of what it gave last, and its lock, outlive the addresses.
      const std::string name = entry.path().filename();
      if (!entry.is_directory() && name != "lock" && !name.starts_with("last_reserved_ip")) names.push_back(name);
    }
  }
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += directory + ": " + name + "\n";
  return text;
}

}  // namespace

std::optional<std::string> otherPlugins() {
  const char* directory = std::getenv("PONS_RUNTIMES_PLUGINS");
  if (directory == nullptr) return std::nullopt;
  return directory;
}

Machine::Machine() {
  cgroups_.mountHere();
  mountCopy("etc");
  mountCopy("opt");
  for (const char* directory : {"/var/lib", "/var/tmp"}) mountEmpty(directory);
  for (const char* directory : {"/run/lock", "/run/home"}) fs::create_directory(directory);
  installPlugins();
  makeImage();
  startInit();
}

void Machine::startInit() {
  const netlib::UniqueFd ready{eventfd(0, EFD_CLOEXEC)};
  const netlib::UniqueFd original{open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC)};
  check(unshare(CLONE_NEWPID) == 0, "unshare the processes");
  init_.emplace([&ready]() -> int { beInit(ready); });
  // The children after it are the machine's again.
  check(setns(original.get(), CLONE_NEWPID) == 0, "come back from a process namespace");
  eventfd_t value = 0;
  check(eventfd_read(ready.get(), &value) == 0, "wait for the first process");
}

Outcome Machine::run(const std::vector<std::string>& argv, const RunOptions& options) const {
  std::vector<std::string> command{"nsenter", "--target", std::to_string(init_->pid()), "--mount", "--pid", "--"};
  command.insert(command.end(), argv.begin(), argv.end());
  RunOptions own = options;
  if (!own.environment) own.environment = {"PATH=" + preferred_ + "/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run/home"};
  return support::run(command, own);
}

std::string Machine::outputOf(const std::vector<std::string>& argv) const {
  Outcome outcome = run(argv);
  std::string command;
  for (const std::string& word : argv) command += word + " ";
  REQUIRE_MESSAGE(outcome.ok(), command << "failed: " << outcome.out << outcome.err);
  if (outcome.out.ends_with('\n')) outcome.out.pop_back();
  return std::move(outcome.out);
}

void Machine::startDaemon(const std::string& name, const std::string& command) const {
  outputOf({"sh", "-c", "(" + command + ") >/run/" + name + ".log 2>&1 &"});
}

void Machine::configure(const std::string& name, const std::string& conflist) const {
  // containerd 2 ends where the directory that it watches is removed.
  fs::create_directories(kConfigurations);
  const fs::path target = kConfigurations + ("/10-" + name) + ".conflist";
  const fs::path draft = kConfigurations + std::string{"/.draft"};
  std::ofstream{draft} << conflist;
  fs::rename(draft, target);
  std::vector<fs::path> others;
  for (const fs::directory_entry& entry : fs::directory_iterator{kConfigurations}) {
    if (entry.path() != target) others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove_all(other);
}

void Machine::reboot() const { run({"sh", "-c", kReboot}); }

Place Machine::placeOf(const std::string& pid) const {
  return "/proc/" + std::to_string(init_->pid()) + "/root/proc/" + pid + "/ns/net";
}

std::vector<std::string> Machine::addressesOf(const std::string& pid, const std::string& interface) const {
  const std::string shown = host_.inside(*placeOf(pid), [&interface] {
    return support::outputOf({"ip", "-o", "address", "show", "dev", interface, "scope", "global"});
  });
  std::vector<std::string> result;
  std::istringstream lines{shown};
  for (std::string line; std::getline(lines, line);) {  // "2: eth0    inet 10.88.0.2/16 brd …"
    std::string number, name, family, address;
    std::istringstream{line} >> number >> name >> family >> address;
    result.push_back(address.substr(0, address.find('/')));
  }
  return result;
}

std::string Machine::state() const {
  return host_.dump() + dumpLedger() + list("/var/lib/cni/networks") + list("/run/netns");
}

bool isLongRun() {
  const char* wish = std::getenv("PONS_TEST_LONG");
  return wish != nullptr && std::string_view{wish} == "1";
}

void waitUntil(const std::string& what, const std::function<bool()>& holds, const std::function<std::string()>& log) {
  const auto giveUp = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < giveUp, what << ": " << log());
    std::this_thread::sleep_for(20ms);
  }
}

void onMachine(const std::vector<std::string>& programs, const std::function<void(Machine& machine)>& work) {
  for (const std::string& program : programs) {
    if (!installed(program)) return FakeHost::countSkip("needs " + program + ", which scripts/setup installs");
  }
  if (!FakeHost::possible()) return FakeHost::countSkip();
  std::optional<Machine> machine;
  try {
    machine.emplace();
  } catch (const std::system_error& refused) {
    return FakeHost::countSkip(std::string{"needs a machine of its own: "} + refused.what());
  }
  work(*machine);
}

void checkNothingLeft(const Machine& machine, const std::string& stateBefore) {
  if (!otherPlugins()) CHECK(machine.state() == stateBefore);
}

std::string answerOf(const Place& place, const Endpoint& destination) {
  const auto giveUp = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < giveUp) {
    if (auto answer = ask(place, Transport::Tcp, destination)) return answer->substr(0, answer->find('\n'));
    std::this_thread::sleep_for(50ms);
  }
  return "nothing";
}

}  // namespace support
