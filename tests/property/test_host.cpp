#include "tests/property/test_host.h"

#include <cerrno>
#include <filesystem>
#include <stdexcept>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/text.h"

namespace property {
namespace {

namespace fs = std::filesystem;
using support::Outcome;
using support::outputOf;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

std::string saidBy(const Outcome& outcome) {
  return "exit code " + std::to_string(outcome.exitCode) + (outcome.timedOut ? ", timed out" : "") + ": " +
         outcome.out + outcome.err;
}

void requireSuccess(const Outcome& outcome, const std::string& call) {
  require(outcome.ok(), call + " failed with " + saidBy(outcome));
}

std::string valueIn(const Facts& facts, const std::string& fact) {
  const auto found = facts.find(fact);
  if (found == facts.end()) return "missing";
  return found->second.empty() ? "there" : found->second;
}

/// A line for each fact that differs, but for the doubtful ones.
std::string difference(const Facts& expected, const Facts& kernel, const std::set<std::string>& doubtful = {}) {
  Facts all = expected;
  all.insert(kernel.begin(), kernel.end());
  std::string text;
  for (const auto& [fact, value] : all) {
    const std::string wanted = valueIn(expected, fact);
    const std::string found = valueIn(kernel, fact);
    if (wanted != found && !doubtful.contains(fact)) text += fact + " is " + found + ", expected " + wanted + "\n";
  }
  return text;
}

/// The same for those facts alone.
std::string lacking(const Facts& needed, const Facts& kernel) {
  Facts found = kernel;
  std::erase_if(found, [&](const auto& fact) { return !needed.contains(fact.first); });
  return difference(needed, found);
}

/// From the network namespace of this thread: a closed port of a host that can be reached refuses at once.
bool isReachable(const std::string& address) {
  constexpr int kPatience = 3000;  // ms, three times a SYN
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* to = nullptr;
  require(getaddrinfo(address.c_str(), "9", &hints, &to) == 0, "no address: " + address);
  const int socket = ::socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = connect(socket, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
  freeaddrinfo(to);
  pollfd wait{.fd = socket, .events = POLLOUT, .revents = 0};
  if (error == EINPROGRESS && poll(&wait, 1, kPatience) == 1) {
    socklen_t size = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  close(socket);
  return error == ECONNREFUSED;
}

}  // namespace

TestHost::TestHost() {
  outputOf({"ip", "link", "add", kForeignBridge, "up", "type", "bridge"});
  outputOf({"ip", "link", "add", "port0", "up", "master", kForeignBridge, "type", "veth", "peer", "name", "port1"});
  support::setContent("/proc/sys/net/ipv6/conf/all/forwarding", "0");
  reloadFirewall();
}

void TestHost::attach(unsigned container, const Attachment& attachment) {
  const std::string name = nameOf(container);
  if (namespaces_.insert(container).second) fake_.addNamespace(name);
  requireSuccess(runtime_.add(name, attachment, attachment.network().numberOf(container)), "ADD");
}

void TestHost::requireRefusal(unsigned container, const Attachment& attachment, unsigned address) {
  const Outcome outcome = runtime_.add(nameOf(container), attachment, address);
  require(outcome.exitCode == 1, "ADD did not fail as it has to: " + saidBy(outcome));
}

void TestHost::refuse(unsigned container, const Attachment& attachment, unsigned address) {
  const std::string name = nameOf(container);
  if (namespaces_.insert(container).second) fake_.addNamespace(name);
  requireRefusal(container, attachment, address);
  requireSuccess(runtime_.del(name, attachment), "DEL after an ADD that failed");
}

void TestHost::refuseAgain(unsigned container, const Attachment& attachment) {
  requireRefusal(container, attachment, attachment.network().numberOf(container));
}

void TestHost::refuseInterface(const Attachment& attachment) {
  const std::string name = nameOf(kBusy);
  if (namespaces_.insert(kBusy).second) {
    fake_.addNamespace(name);
    outputOf({"ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "other"});
  }
  requireRefusal(kBusy, attachment, attachment.network().numberOf(kBusy));
}

void TestHost::detach(unsigned container, const Attachment& attachment) {
  requireSuccess(runtime_.del(nameOf(container), attachment), "DEL");
}

void TestHost::kill(unsigned container) {
  fake_.endNamespace("/run/netns/" + nameOf(container));
  namespaces_.erase(container);
}

void TestHost::collect(const Network& network, const std::optional<std::set<unsigned>>& valid) {
  requireSuccess(runtime_.gc(network, valid), "GC");
}

void TestHost::requireStatus(const Network& network) {
  requireSuccess(runtime_.status(network), "STATUS of network " + network.name);
}

void TestHost::repair(bool isComplete) {
  const Outcome outcome = runtime_.ponsctl({"repair"});
  require(outcome.ok() == isComplete, "ponsctl repair ended with " + saidBy(outcome));
}

void TestHost::reloadFirewall() {
  outputOf({"nft",
            "add table ip fw; delete table ip fw; add table ip fw; add chain ip fw CNI-ADMIN; "
            "add chain ip fw forward { type filter hook forward priority 0; policy drop; }"});
}

void TestHost::verify(const Model& model) {
  const Facts kernel = kernel_.read();
  const Facts expected = model.expected();
  const std::string wrong = difference(expected, kernel, model.doubtful);
  require(wrong.empty(), "the kernel differs from the model:\n" + wrong);
  bool isWell = true;
  for (const auto& [container, attachment] : model.attached) isWell &= verifyContainer(model, container, kernel);
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"check"}, {"repair", "--dry-run"}}) {
    const Outcome outcome = runtime_.ponsctl(arguments);
    require(outcome.ok() == isWell, "ponsctl " + arguments.front() + (isWell ? " finds a fault" : " finds no fault") +
                                        ": " + saidBy(outcome) + difference(expected, kernel));
  }
  if (!isWell) return;
  require(kernel == expected, "no fault is found, but the kernel differs:\n" + difference(expected, kernel));
  std::set<unsigned> used;
  for (const auto& [container, attachment] : model.attached) used.insert(attachment.networkIndex);
  for (const unsigned index : used) requireStatus(networks().at(index));
  if (model.attached.empty()) requireCleanLedger();
}

bool TestHost::verifyContainer(const Model& model, unsigned container, const Facts& kernel) {
  const Attachment& attachment = model.attached.at(container);
  const Needs needs = model.needsOf(container);
  const std::string missing = lacking(needs.shared, kernel) + lacking(needs.own, kernel);
  const bool isWell = !attachment.isDead && missing.empty();
  const Outcome checked = runtime_.check(nameOf(container), attachment);
  require(checked.ok() == isWell, "CHECK of " + nameOf(container) + " ended with " + saidBy(checked) +
                                      (attachment.isDead ? "its container is gone\n" : missing));
  if (isWell) requireGateways(container, attachment);
  return isWell;
}

void TestHost::requireGateways(unsigned container, const Attachment& attachment) const {
  if (!attachment.settings.gateway) return;
  const support::Inside there{"/run/netns/" + nameOf(container)};
  for (const Subnet& subnet : attachment.network().subnets) {
    require(isReachable(subnet.gateway()), nameOf(container) + " does not reach its gateway " + subnet.gateway());
  }
}

void TestHost::requireCleanLedger() const {
  for (const char* top : {"holds", "networks", "originals", "ports", "staged"}) {
    const fs::path directory = fs::path{"/run/pons"} / top;
    if (!fs::exists(directory)) continue;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
      require(entry.is_directory() && !entry.is_symlink(), "left in the ledger: " + entry.path().string());
    }
  }
  const fs::path leases = "/run/host-local/chain";
  if (!fs::exists(leases)) return;
  for (const auto& entry : fs::directory_iterator{leases}) {
    const std::string name = entry.path().filename();
    require(name == "lock" || name.starts_with("last_reserved_ip."), "left in host-local's files: " + name);
  }
}

}  // namespace property
