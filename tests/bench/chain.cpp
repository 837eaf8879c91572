#include "tests/bench/chain.h"

#include <filesystem>
#include <ranges>
#include <stdexcept>

#include <sys/mount.h>

#include "tests/support/fake_host.h"

namespace bench {

namespace {

std::string withPrevious(std::string config, const std::string& result) {
  if (result.empty()) return config;
  config.pop_back();
  return config + R"(, "prevResult": )" + result + "}";
}

/// While it lives, programs of this thread are on that host: in its network namespace, and with its procfs.
class OnHost {
 public:
  explicit OnHost(const std::string& netns) : inside_(netns) {
    const std::string own = netns + ".proc";
    provideProcfs(own);
    if (mount(own.c_str(), "/proc", nullptr, MS_BIND, nullptr) != 0) throw std::runtime_error("bind a procfs");
  }
  ~OnHost() { umount2("/proc", MNT_DETACH); }
  OnHost(const OnHost&) = delete;
  OnHost& operator=(const OnHost&) = delete;

 private:
  support::Inside inside_;
};

Call timed(Cost& sum) {
  return [&sum](const Program& program) {
    Finished finished = run(program);
    sum += finished.cost;
    return std::move(finished.out);
  };
}

Chain ponsOf(const std::string& host, const std::string& stateDir,
             std::function<std::string(const Container&)> config) {
  return {host, {called(PONS_BINARY, {.stateDir = stateDir}, std::move(config))}};
}

/// `ipam` is the member of that name.
Chain ponsWith(const std::string& host, const std::string& stateDir, const std::string& ipam) {
  const auto config = [ipam](const Container& container) {
    return R"({"cniVersion": "1.1.0", "name": "bench", "type": "pons", "ipam": )" + ipam + ", " +
           portMappings(container) + "}";
  };
  return ponsOf(host, stateDir, config);
}

}  // namespace

void provideProcfs(const std::string& path) {
  const bool isNew = std::filesystem::create_directory(path);
  if (isNew && mount("proc", path.c_str(), "proc", 0, nullptr) != 0) throw std::runtime_error("mount a procfs");
}

std::string addressOf(const Container& container) {
  const std::size_t start = container.result.find("\"10.") + 1;
  return container.result.substr(start, container.result.find('/', start) - start);
}

std::string portMappings(const Container& container) {
  const std::string port = std::to_string(container.port);
  return R"("runtimeConfig": {"portMappings": [{"hostPort": )" + port +
         R"(, "containerPort": 80, "protocol": "tcp"}, {"hostPort": )" + port +
         R"(, "containerPort": 53, "protocol": "udp"}]})";
}

std::vector<std::string> cniEnvironment(const std::string& verb, const Container& container, const Calling& calling) {
  return {"CNI_COMMAND=" + verb,          "CNI_CONTAINERID=" + container.id, "CNI_NETNS=" + container.netns,
          "CNI_IFNAME=" + calling.ifName, "CNI_PATH=" + calling.path,        "PONS_STATE_DIR=" + calling.stateDir,
          "PATH=" + calling.search};
}

Plugin called(const std::string& binary, const Calling& calling, std::function<std::string(const Container&)> config) {
  return [=](const std::string& verb, const Container& container) -> Program {
    return {.argv = {binary},
            .environment = cniEnvironment(verb, container, calling),
            .input = withPrevious(config(container), container.result)};
  };
}

void Chain::add(Container& container, const Call& call) const {
  const OnHost there{host_};
  for (const Plugin& plugin : plugins_) container.result = call(plugin("ADD", container));
}

void Chain::del(const Container& container, const Call& call) const {
  const OnHost there{host_};
  for (const Plugin& plugin : plugins_ | std::views::reverse) call(plugin("DEL", container));
}

std::vector<std::string> Chain::callAtOnce(const Plugin& plugin, const std::string& verb,
                                           const std::vector<Container>& containers) const {
  const OnHost there{host_};
  std::vector<Running> running;
  for (const Container& container : containers) running.emplace_back(plugin(verb, container));
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
  return ponsOf(host, stateDir, config);
}

}  // namespace bench
