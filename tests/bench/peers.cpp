#include "tests/bench/peers.h"

#include <cstdio>
#include <filesystem>

namespace bench {

namespace {

constexpr const char* kDebian = "/usr/lib/cni";
constexpr const char* kNewest = PONS_PEERS;

struct Reference {
  std::string directory;
  std::string bridgeMembers;   ///< of its configuration, each preceded by a comma
  std::string portmapMembers;  ///< likewise
  std::string search = kSearchPath;
};

Chain referenceChain(const std::string& host, const std::string& stateDir, const Reference& reference) {
  const Calling calling{.stateDir = stateDir, .path = reference.directory, .search = reference.search};
  const auto bridge = [=](const Container&) {
    return R"({"cniVersion": "1.0.0", "name": "bench", "type": "bridge", "bridge": "cni0", "isGateway": true,
               "ipMasq": true, "hairpinMode": true, "ipam": {"type": "host-local", "dataDir": ")" +
           stateDir + R"(", "ranges": [[{"subnet": "10.42.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]})" +
           reference.bridgeMembers + "}";
  };
  const auto portmap = [=](const Container& container) {
    return R"({"cniVersion": "1.0.0", "name": "bench", "type": "portmap", )" + portMappings(container) +
           reference.portmapMembers + "}";
  };
  return {host,
          {called(reference.directory + "/bridge", calling, bridge),
           called(reference.directory + "/portmap", calling, portmap)}};
}

/// Different for each container of a run.
std::string chosenAddress(const Container& container) {
  return "10.42." + std::to_string(container.port / 250 % 256) + "." + std::to_string(container.port % 250 + 2);
}

std::string netavarkInput(const Container& container) {
  const std::string port = R"("host_ip": "", "range": 1, "host_port": )" + std::to_string(container.port);
  return R"({"container_id": ")" + container.id + R"(", "container_name": ")" + container.id +
         R"(", "port_mappings": [{"container_port": 80, "protocol": "tcp", )" + port +
         R"(}, {"container_port": 53, "protocol": "udp", )" + port +
         R"(}], "networks": {"bench": {"interface_name": "eth0", "static_ips": [")" + chosenAddress(container) +
         R"("]}}, "network_info": {"bench": {"name": "bench", "driver": "bridge", "network_interface": "podman1",
            "id": "53ce4390f2adb1681eb1a90ec8b48c49c015e0a8d336c197637e7f65e365fa9e",
            "subnets": [{"subnet": "10.42.0.0/16", "gateway": "10.42.0.1"}], "ipv6_enabled": false, "internal": false,
            "dns_enabled": false, "ipam_options": {"driver": "host-local"}}}})";
}

bool isThere(const std::string& program) {
  if (std::filesystem::exists(program)) return true;
  std::fprintf(stderr, "SKIPPED: no %s, which scripts/setup --bench provides\n", program.c_str());
  return false;
}

}  // namespace

Chain debianReference(const std::string& host, const std::string& stateDir) {
  return referenceChain(host, stateDir, {.directory = kDebian, .bridgeMembers = "", .portmapMembers = ""});
}

/// Where iptables is found its DEL also removes rules of iptables, and fails with Debian 12's iptables as there are
/// none.
Chain newestReferenceWithNftables(const std::string& host, const std::string& stateDir) {
  return referenceChain(host, stateDir,
                        {.directory = kNewest,
                         .bridgeMembers = R"(, "ipMasqBackend": "nftables")",
                         .portmapMembers = R"(, "backend": "nftables")",
                         .search = std::string{kNewest} + "/nft"});
}

Chain newestReferenceWithIptables(const std::string& host, const std::string& stateDir) {
  return referenceChain(host, stateDir,
                        {.directory = kNewest,
                         .bridgeMembers = R"(, "ipMasqBackend": "iptables")",
                         .portmapMembers = R"(, "backend": "iptables")"});
}

Chain netavark(const std::string& host, const std::string& stateDir) {
  const auto program = [stateDir](const std::string& verb, const Container& container) -> Program {
    std::filesystem::create_directories(stateDir);
    return {.argv = {std::string{kNewest} + "/netavark", "--config", stateDir, "--firewall-driver", "nftables",
                     verb == "ADD" ? "setup" : "teardown", container.netns},
            .environment = {std::string{"PATH="} + kSearchPath},
            .input = netavarkInput(container)};
  };
  return {host, {program}};
}

std::vector<Peer> peers() {
  std::vector<Peer> all;
  if (isThere(std::string{kNewest} + "/netavark")) all.push_back({Subject::Netavark, netavark});
  if (isThere(std::string{kNewest} + "/bridge")) {
    all.push_back({Subject::ReferenceNftables, newestReferenceWithNftables});
    all.push_back({Subject::ReferenceIptables, newestReferenceWithIptables});
  }
  if (isThere(std::string{kDebian} + "/bridge")) all.push_back({Subject::Reference, debianReference});
  return all;
}

}  // namespace bench
