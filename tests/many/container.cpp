#include "tests/many/container.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <ranges>
#include <stdexcept>

#include <doctest/doctest.h>

#include "tests/support/text.h"

namespace support {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlugins = "/run/plugins";
constexpr const char* kDebianPlugins = "/usr/lib/cni";
constexpr std::array kOwnNames{"pons", "bridge", "host-local", "portmap", "firewall", "bandwidth", "tuning", "static"};

/// "runtimeConfig" with these ports.
std::string runtimeConfig(const std::vector<Published>& ports) {
  std::string mappings;
  for (const Published& port : ports) {
    mappings += std::string{mappings.empty() ? "" : ", "} + R"({"hostPort": )" + std::to_string(port.host) +
                R"(, "containerPort": )" + std::to_string(port.container) + R"(, "protocol": ")" +
                (port.transport == Transport::Tcp ? "tcp" : "udp") + R"(", "hostIP": ")" + port.hostAddress + "\"}";
  }
  return R"("runtimeConfig": {"portMappings": [)" + mappings + "]}";
}

std::vector<netlib::IpAddress> addressesOf(const std::string& result) {
  const auto document = pons::json::Document::parse(result);
  if (!document) throw std::runtime_error("no result: " + result);
  std::vector<netlib::IpAddress> addresses;
  for (const auto& ip : (*document)["ips"].items()) {
    const std::string prefix = textOf(ip["address"]);
    addresses.push_back(netlib::IpAddress::parse(prefix.substr(0, prefix.find('/'))).value());
  }
  return addresses;
}

}  // namespace

void installPlugins(const std::set<std::string>& foreign) {
  fs::create_directories(kPlugins);
  for (const char* name : kOwnNames) {
    if (!foreign.contains(name)) fs::create_symlink(PONS_BINARY, fs::path{kPlugins} / name);
  }
  for (const std::string& name : foreign) {
    fs::create_symlink(fs::path{kDebianPlugins} / name, fs::path{kPlugins} / name);
  }
}

Container::Container(FakeHost& host, std::string name, std::string version, Wish wish)
    : name_(std::move(name)), netns_(host.addNamespace(name_)), version_(std::move(version)), wish_(std::move(wish)) {
  for (const Published& port : wish_.ports) {
    for (const char* any : {"0.0.0.0", "::"}) {
      servers_.emplace_back(netns_, port.transport, endpoint(any, port.container), name_);
    }
  }
}

void Container::attach() {
  for (const Plugin& plugin : wish_.list) {
    const Outcome added = call("ADD", plugin);
    if (!added.ok()) throw std::runtime_error("ADD of " + name_ + " by " + plugin.type + ": " + added.out + added.err);
    result_ = added.out;
  }
  addresses_ = addressesOf(result_);
  for (const auto& [subnet, family] :
       {std::pair{"10.42.0.0/24", netlib::Family::Ipv4}, {"fd42::/64", netlib::Family::Ipv6}}) {
    const bool wanted = contains(wish_.list.front().members, subnet);
    CHECK(std::ranges::count(addresses_, family, &netlib::IpAddress::family) == (wanted ? 1 : 0));
  }
}

void Container::check() const {
  for (const Plugin& plugin : wish_.list) {
    const Outcome checked = call("CHECK", plugin);
    CHECK_MESSAGE(checked.ok(), "CHECK of " << name_ << " by " << plugin.type << ": " << checked.out << checked.err);
  }
}

void Container::detach() {
  for (const Plugin& plugin : std::views::reverse(wish_.list)) {
    const Outcome deleted = call("DEL", plugin);
    CHECK_MESSAGE(deleted.ok(), "DEL of " << name_ << " by " << plugin.type << ": " << deleted.out << deleted.err);
  }
  result_.clear();
}

Outcome Container::call(const std::string& verb, const Plugin& plugin) const {
  std::vector<std::string> environment = environmentOf(verb, {.container = name_, .netns = netns_, .args = wish_.args});
  environment.back() = std::string{"CNI_PATH="} + kPlugins;
  environment.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");  // Debian's call iptables
  const std::string config = configOf(plugin);
  return run({std::string{kPlugins} + "/" + plugin.type},
             {.environment = environment, .input = result_.empty() ? config : withPrevious(config, result_)});
}

std::string Container::configOf(const Plugin& plugin) const {
  std::string config = R"({"cniVersion": ")" + version_ + R"(", "name": "demo", "type": ")" + plugin.type + "\"";
  if (!plugin.members.empty()) config += ", " + plugin.members;
  if (plugin.declaresPorts) config += ", " + runtimeConfig(wish_.ports);
  return config + "}";
}

}  // namespace support
