#include "tests/support/runtime.h"

#include <stdexcept>

#include "netlib/os/sysctl.h"
#include "netlib/rtnl/route.h"

#include "plugin/engine/transaction.h"
#include "plugin/verbs/attachment_builder.h"

namespace support {
namespace {

namespace fs = std::filesystem;
using pons::cni::Verb;

template <class T>
T required(pons::cni::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

template <class T>
T required(netlib::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

// The configuration with one member more.
std::string with(const std::string& config, const std::string& member) {
  return config.substr(0, config.rfind('}')) + ", " + member + "}";
}

netlib::Result<pons::Record> claim(const pons::cni::Request& request, pons::Host& host) {
  const pons::NetnsId netns{host.container->netns.id().device, host.container->netns.id().inode};
  const auto isHostAddress = [&host](const netlib::IpAddress& address) {
    return netlib::route::isLocal(host.route, address);
  };
  const std::uint32_t mtu = TRY(pons::mtuFor(request.config, host));
  return host.ledger.claim(request.key, request.config.addresses, isHostAddress,
                           [&](std::vector<pons::Lease> leases) -> netlib::Result<pons::Attachment> {
                             return pons::attachmentFor(request, netns, mtu, std::move(leases));
                           });
}

// Directories at the top, and the lock, stay when the last attachment goes.
bool outlivesAttachments(const fs::path& path) {
  const fs::path inside = path.lexically_relative(kStateDir);
  return inside == "." || inside == "lock" || inside == "counters.1" ||
         (!inside.has_parent_path() && fs::is_directory(path));
}

}  // namespace

std::string demoConfig(const std::string& members) {
  return R"({"cniVersion": "1.1.0", "name": "demo", "type": "pons", "logLevel": "off", )" + members + "}";
}

std::string minimalConfig() { return demoConfig(R"("ipam": {"subnet": "10.42.0.0/24"})"); }

pons::cni::Environment Runtime::environment(const std::string& container) const {
  return {.command = "",
          .containerId = container,
          .netns = "/run/netns/" + container,
          .ifName = "eth0",
          .args = args,
          .path = pluginPath,
          .stateDir = kStateDir};
}

pons::cni::Request Runtime::request(Verb verb, const std::string& container) const {
  return required(pons::cni::parseRequest(verb, environment(container), config_));
}

pons::cni::Result<std::string> Runtime::add(const std::string& container) const {
  pons::Host host = openHost();
  return pons::add(request(Verb::Add, container), host);
}

pons::cni::Result<> Runtime::del(const std::string& container) const {
  pons::Host host = openHost();
  return pons::del(request(Verb::Del, container), host);
}

pons::cni::Result<> Runtime::check(const std::string& container, const std::string& result) const {
  pons::Host host = openHost();
  const std::string config = with(config_, R"("prevResult": )" + result);
  return pons::check(required(pons::cni::parseRequest(Verb::Check, environment(container), config)), host);
}

pons::Host openHost() {
  return required(pons::Host::open(required(pons::Ledger::open(kStateDir, std::chrono::seconds{20}))));
}

netlib::Result<> addWith(const pons::cni::Request& request, const BeforeStep& beforeStep) {
  pons::Host host = openHost();
  host.container = TRY(pons::Container::open(request.netnsPath));
  pons::Record record = TRY(claim(request, host));
  const pons::Plan plan = pons::planFor(record.attachment);
  pons::Transaction transaction{host, record, plan};
  for (std::size_t i = 0; i < plan.size(); ++i) {
    TRY(beforeStep(i, host));
    TRY(transaction.apply(*plan[i]));
  }
  TRY(beforeStep(plan.size(), host));
  TRY(host.ledger.commit(record));
  transaction.keep();
  return {};
}

std::size_t stepCount(const pons::cni::Request& request) {
  std::size_t last = 0;
  const auto stopped = addWith(request, [&last](std::size_t step, pons::Host&) -> netlib::Result<> {
    last = step;
    return {};
  });
  if (!stopped) throw std::runtime_error(stopped.error().message);
  pons::Host host = openHost();
  pons::Record record = recordOf(host, request);
  if (const auto gone = teardown(host, record, pons::planFor(record.attachment)); !gone) {
    throw std::runtime_error(gone.error().message);
  }
  return last;
}

pons::Record recordOf(pons::Host& host, const pons::cni::Request& request) {
  return required(host.ledger.find(request.key)).value();
}

std::string dumpLedger() {
  if (!fs::exists(kStateDir)) return {};
  std::vector<std::string> lines;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{kStateDir}) {
    if (outlivesAttachments(entry.path())) continue;
    lines.push_back(entry.path().string() +
                    (entry.is_symlink() ? " -> " + fs::read_symlink(entry.path()).string() : ""));
  }
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string interfacesOf(const FakeHost& host, const std::string& container) {
  return host.inside("/run/netns/" + container, [] {
    std::string text;
    for (const std::string& interface : required(netlib::sysctl::entries("net/ipv4/conf"))) text += interface + "\n";
    return text;
  });
}

}  // namespace support
