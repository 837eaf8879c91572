#include "tests/bench/existing_containers.h"

#include <filesystem>
#include <fstream>
#include <list>
#include <stdexcept>

#include "tests/support/process.h"

namespace bench {

namespace {

constexpr unsigned kPerNetwork = 500;  // of the 1,023 ports that a bridge can have
constexpr unsigned kFirstPort = 10'000;
constexpr unsigned kAtOnce = 8;

std::string networkOf(unsigned number) { return "scale" + std::to_string(number / kPerNetwork); }
std::string idOf(unsigned number) { return "other" + std::to_string(number); }
std::string portOf(unsigned number) { return std::to_string(kFirstPort + number); }
std::string subnetOf(unsigned number) { return "10." + std::to_string(100 + number / kPerNetwork) + ".0.0/16"; }

std::string addressOf(unsigned number) {
  const unsigned inNetwork = number % kPerNetwork + 2;
  return "10." + std::to_string(100 + number / kPerNetwork) + "." + std::to_string(inNetwork / 256) + "." +
         std::to_string(inNetwork % 256);
}

/// As long as the chain names of the reference plugins, which end with part of a hash.
std::string chainOf(const std::string& prefix, unsigned number) {
  constexpr std::size_t kLength = 28;
  const std::string digits = std::to_string(number);
  return prefix + std::string(kLength - prefix.size() - digits.size(), '0') + digits;
}

/// What bridge's ipMasq and portmap append to the table nat for one container.
std::string rulesOf(unsigned number) {
  const std::string comment =
      " -m comment --comment \"name: \\\"" + networkOf(number) + "\\\" id: \\\"" + idOf(number) + "\\\"\"";
  const std::string masq = chainOf("CNI-", number);
  const std::string dnat = chainOf("CNI-DN-", number);
  const std::string port = " -p tcp -m tcp --dport " + portOf(number);
  std::string rules;
  rules += "-A " + masq + " -d " + subnetOf(number) + comment + " -j ACCEPT\n";
  rules += "-A " + masq + " ! -d 224.0.0.0/4" + comment + " -j MASQUERADE\n";
  rules += "-A POSTROUTING -s " + addressOf(number) + "/32" + comment + " -j " + masq + "\n";
  rules += "-A " + dnat + " -s " + subnetOf(number) + port + " -j CNI-HOSTPORT-SETMARK\n";
  rules += "-A " + dnat + " -s 127.0.0.1/32" + port + " -j CNI-HOSTPORT-SETMARK\n";
  rules += "-A " + dnat + port + " -j DNAT --to-destination " + addressOf(number) + ":80\n";
  rules += "-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment \"dnat name: \\\"" + networkOf(number) + "\\\" id: \\\"" +
           idOf(number) + "\\\"\" -m multiport --dports " + portOf(number) + " -j " + dnat + "\n";
  return rules;
}

std::string rulesOf(unsigned first, unsigned end) {
  std::string chains;
  std::string rules;
  for (unsigned number = first; number < end; ++number) {
    for (const char* prefix : {"CNI-", "CNI-DN-"}) chains += ":" + chainOf(prefix, number) + " - [0:0]\n";
    rules += rulesOf(number);
  }
  return "*nat\n" + chains + rules + "COMMIT\n";
}

const std::string kProcOfContainers = "/run/proc";  ///< in which runtimes set parameters

/// IPv6 is disabled: thousands of interfaces would send neighbour discovery and MLD messages for a while.
std::string quietNamespace(Hosts& hosts) {
  std::string netns = hosts.container().netns;
  provideProcfs(kProcOfContainers);
  const support::Inside there{netns};
  std::ofstream parameter{kProcOfContainers + "/sys/net/ipv6/conf/default/disable_ipv6"};
  if (!(parameter << 1).flush()) throw std::runtime_error("disable IPv6");
  return netns;
}

}  // namespace

Program PonsContainers::program(const std::string& netns, unsigned number) const {
  const Container container{.id = idOf(number), .netns = netns};
  return {.argv = {PONS_BINARY},
          .environment = cniEnvironment("ADD", container, {.stateDir = host_.stateDir}),
          .input = R"({"cniVersion": "1.1.0", "type": "pons", "isDefaultGateway": false, "name": ")" +
                   networkOf(number) + R"(", "bridge": ")" + networkOf(number) + R"(", "ipam": {"subnet": ")" +
                   subnetOf(number) + R"("}, "portMappings": [{"containerPort": 80, "protocol": "tcp", "hostPort": )" +
                   portOf(number) + "}]" + members_ + "}"};
}

void PonsContainers::growTo(Hosts& hosts, unsigned size) {
  std::list<Running> running;
  for (; size_ < size; ++size_) {
    const std::string netns = quietNamespace(hosts);
    const support::Inside there{host_.netns};
    running.emplace_back(program(netns, size_));
    if (running.size() < kAtOnce) continue;
    running.front().finish();
    running.pop_front();
  }
  for (Running& last : running) last.finish();
}

void ReferenceContainers::growTo(unsigned size) {
  if (size <= size_) return;
  for (unsigned number = size_; number < size; ++number) {
    const std::filesystem::path directory = host_.stateDir + "/" + networkOf(number);
    std::filesystem::create_directories(directory);
    std::ofstream{directory / addressOf(number)} << idOf(number) << "\r\neth0";
  }
  const support::Inside there{host_.netns};
  const support::Outcome outcome =
      support::run({"iptables-restore", "--noflush"}, {.environment = {}, .input = rulesOf(size_, size)});
  if (!outcome.ok()) throw std::runtime_error("iptables-restore: " + outcome.err);
  size_ = size;
}

}  // namespace bench
