#include "tests/bench/chain.h"

#include <ranges>

#include "tests/support/fake_host.h"

namespace bench {

namespace {

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

Cost costOf(const Finished& finished) { return finished.cost; }
Counts costOf(const Counted& counted) { return counted.counts; }

}  // namespace

Program Chain::program(const Plugin& plugin, const std::string& verb, const Container& container) const {
  return {.argv = {plugin.binary},
          .environment = {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + container.id, "CNI_NETNS=" + container.netns,
                          "CNI_IFNAME=eth0", std::string{"CNI_PATH="} + kReferenceDirectory,
                          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                          "PONS_STATE_DIR=" + stateDir_},
          .input = withPrevious(plugin.config(container), container.result)};
}

template <class Run>
auto Chain::forwards(Container& container, Run run) const {
  const support::Inside there{host_};
  decltype(costOf(run(Program{}))) sum;
  for (const Plugin& plugin : plugins_) {
    auto done = run(program(plugin, "ADD", container));
    sum += costOf(done);
    container.result = std::move(done.out);
  }
  return sum;
}

template <class Run>
auto Chain::backwards(const Container& container, Run run) const {
  const support::Inside there{host_};
  decltype(costOf(run(Program{}))) sum;
  for (const Plugin& plugin : plugins_ | std::views::reverse) sum += costOf(run(program(plugin, "DEL", container)));
  return sum;
}

Cost Chain::add(Container& container) const { return forwards(container, run); }
Cost Chain::del(const Container& container) const { return backwards(container, run); }
Cost Chain::start() const { return run(program(plugins_.front(), "VERSION", {})).cost; }

Counts Chain::countAdd(Container& container) const { return forwards(container, countOf); }
Counts Chain::countDel(const Container& container) const { return backwards(container, countOf); }
Counts Chain::countStart() const { return countOf(program(plugins_.front(), "VERSION", {})).counts; }

Chain ponsChain(const std::string& host, const std::string& stateDir) {
  const auto config = [](const Container& container) {
    return R"({"cniVersion": "1.1.0", "name": "bench", "type": "pons", "ipam": {"subnet": "10.42.0.0/16"}, )" +
           portMappings(container) + "}";
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
