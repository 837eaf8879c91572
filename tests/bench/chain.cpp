#include "tests/bench/chain.h"

#include <ranges>

#include "tests/support/fake_host.h"

namespace bench {

namespace {

constexpr const char* kReferenceDirectory = "/usr/lib/cni";

std::string portMappings(const Container& container) {
  const std::string port = std::to_string(container.port);
  return R"("runtimeConfig": {"portMappings": [{"hostPort": )" + port +
         R"(, "containerPort": 80, "protocol": "tcp"}, {"hostPort": )" + port +
         R"(, "containerPort": 53, "protocol": "udp"}]})";
}

std::string withPrevious(std::string config, const std::string& result) {
  if (result.empty()) return config;
  config.pop_back();
  return config + R"(, "prevResult": )" + result + "}";
}

Call timed(Cost& sum) {
  return [&sum](const Program& program) {
    Finished finished = run(program);
    sum += finished.cost;
    return std::move(finished.out);
  };
}

/// `ipam` is the member of that name.
Chain ponsWith(const std::string& host, const std::string& stateDir, const std::string& ipam) {
  const auto config = [ipam](const Container& container) {
    return R"({"cniVersion": "1.1.0", "name": "bench", "type": "pons", "ipam": )" + ipam + ", " +
           portMappings(container) + "}";
  };
  return {host, stateDir, {{PONS_BINARY, config}}};
}

}  // namespace

std::vector<std::string> cniEnvironment(const std::string& verb, const Container& container, const std::string& ifName,
                                        const std::string& stateDir) {
  return {"CNI_COMMAND=" + verb,
          "CNI_CONTAINERID=" + container.id,
          "CNI_NETNS=" + container.netns,
          "CNI_IFNAME=" + ifName,
          std::string{"CNI_PATH="} + kReferenceDirectory,
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "PONS_STATE_DIR=" + stateDir};
}

Program Chain::program(const Plugin& plugin, const std::string& verb, const Container& container) const {
  return {.argv = {plugin.binary},
          .environment = cniEnvironment(verb, container, "eth0", stateDir_),
          .input = withPrevious(plugin.config(container), container.result)};
}

void Chain::add(Container& container, const Call& call) const {
  const support::Inside there{host_};
  for (const Plugin& plugin : plugins_) container.result = call(program(plugin, "ADD", container));
}

void Chain::del(const Container& container, const Call& call) const {
  const support::Inside there{host_};
  for (const Plugin& plugin : plugins_ | std::views::reverse) call(program(plugin, "DEL", container));
}

std::vector<std::string> Chain::callAtOnce(const Plugin& plugin, const std::string& verb,
                                           const std::vector<Container>& containers) const {
  const support::Inside there{host_};
  std::vector<Running> running;
  for (const Container& container : containers) running.emplace_back(program(plugin, verb, container));
  std::vector<std::string> outputs;
  for (Running& one : running) outputs.push_back(one.finish().out);
  return outputs;
}

void Chain::addAtOnce(std::vector<Container>& containers) const {
  for (const Plugin& plugin : plugins_) {
    const std::vector<std::string> results = callAtOnce(plugin, "ADD", containers);
    for (std::size_t i = 0; i < containers.size(); ++i) containers[i].result = results[i];
  }
}

void Chain::delAtOnce(const std::vector<Container>& containers) const {
  for (const Plugin& plugin : plugins_ | std::views::reverse) callAtOnce(plugin, "DEL", containers);
}

Cost Chain::add(Container& container) const {
  Cost sum;
  add(container, timed(sum));
  return sum;
}

Cost Chain::del(const Container& container) const {
  Cost sum;
  del(container, timed(sum));
  return sum;
}

Chain ponsChain(const std::string& host, const std::string& stateDir) { return ponsChainWith(host, stateDir, ""); }

Chain ponsChainWith(const std::string& host, const std::string& stateDir, const std::string& members) {
  return ponsWith(host, stateDir, R"({"subnet": "10.42.0.0/16"})" + members);
}

Chain dualStackChain(const std::string& host, const std::string& stateDir) {
  return ponsWith(host, stateDir, R"({"ranges": [[{"subnet": "10.42.0.0/16"}], [{"subnet": "fd42::/64"}]]})");
}

Chain plainChain(const std::string& host, const std::string& stateDir) {
  const auto config = [](const Container&) {
    return R"({"cniVersion": "1.1.0", "name": "bench", "type": "pons", "ipMasq": false,
               "ipam": {"subnet": "10.43.0.0/16"}})";
  };
  return {host, stateDir, {{PONS_BINARY, config}}};
}

Chain referenceChain(const std::string& host, const std::string& stateDir) {
  const std::string directory = std::string{kReferenceDirectory} + "/";
  const auto bridge = [stateDir](const Container&) {
    return R"({"cniVersion": "1.0.0", "name": "bench", "type": "bridge", "bridge": "cni0", "isGateway": true,
               "ipMasq": true, "hairpinMode": true, "ipam": {"type": "host-local", "dataDir": ")" +
           stateDir + R"(", "ranges": [[{"subnet": "10.42.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}})";
  };
  const auto portmap = [](const Container& container) {
    return R"({"cniVersion": "1.0.0", "name": "bench", "type": "portmap", )" + portMappings(container) + "}";
  };
  return {host, stateDir, {{directory + "bridge", bridge}, {directory + "portmap", portmap}}};
}

}  // namespace bench
