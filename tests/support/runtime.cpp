#include "tests/support/runtime.h"

#include <stdexcept>

#include "netlib/os/sysctl.h"

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

// Directories at the top, and the lock, stay when the last attachment goes.
bool outlivesAttachments(const fs::path& path) {
  const fs::path inside = path.lexically_relative(kStateDir);
  return inside == "." || inside == "lock" || inside == "counters.1" || inside == "layout.2" ||
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

pons::cni::Result<std::string> addWith(const pons::cni::Request& request, const BeforeStep& beforeStep) {
  pons::Host host = openHost();
  std::size_t step = 0;
  host.beforeStep = [&](std::string_view) { return beforeStep(step++, host); };
  return pons::add(request, host);
}

std::size_t stepCount(const pons::cni::Request& request) {
  std::size_t last = 0;
  required(addWith(request, [&last](std::size_t step, pons::Host&) -> netlib::Result<> {
    last = step;
    return {};
  }));
  pons::Host host = openHost();
  if (const auto gone = pons::del(request, host); !gone) throw std::runtime_error(gone.error().message);
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
