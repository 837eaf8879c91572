// A chain of CNI plugins, called as libcni does: ADD forwards with the result handed on, DEL backwards.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/bench/cost.h"

namespace bench {

/// Each container publishes two ports of the host, one of TCP and one of UDP, with this number.
struct Container {
  std::string id;
  std::string netns;  ///< path
  unsigned port = 0;
  std::string result = {};  ///< of its ADD
};

/// The address in the result of its ADD, without the length of the prefix.
std::string addressOf(const Container& container);

/// The program that serves a verb ("ADD" or "DEL") for a container.
using Plugin = std::function<Program(const std::string& verb, const Container& container)>;

/// Where programs are that plugins start.
inline constexpr const char* kSearchPath = "/usr/sbin:/usr/bin:/sbin:/bin";

struct Calling {
  std::string stateDir;               ///< of pons
  std::string path = "/usr/lib/cni";  ///< CNI_PATH
  std::string ifName = "eth0";
  std::string search = kSearchPath;  ///< PATH
};
/// What a runtime sets for a plugin.
std::vector<std::string> cniEnvironment(const std::string& verb, const Container& container, const Calling& calling);
/// A CNI plugin as libcni calls it. `config` is without prevResult, which is the result of the plugin before it in the
/// chain or, for DEL, that of the ADD.
Plugin called(const std::string& binary, const Calling& calling, std::function<std::string(const Container&)> config);

/// Runs a program and returns its output.
using Call = std::function<std::string(const Program&)>;

class Chain {
 public:
  /// `host` is the path of the namespace that the plugins take for the host.
  Chain(std::string host, std::vector<Plugin> plugins) : host_(std::move(host)), plugins_(std::move(plugins)) {}

  Cost add(Container& container) const;
  Cost del(const Container& container) const;

  /// The same, with each plugin's program handed to `call`.
  void add(Container& container, const Call& call) const;
  void del(const Container& container, const Call& call) const;

  /// The same for all, one plugin after the other: its programs are all started before the first is waited for.
  void addAtOnce(std::vector<Container>& containers) const;
  void delAtOnce(const std::vector<Container>& containers) const;

 private:
  std::vector<std::string> callAtOnce(const Plugin& plugin, const std::string& verb,
                                      const std::vector<Container>& containers) const;

  std::string host_;
  std::vector<Plugin> plugins_;
};

/// At that path, on the first call: a procfs of its own. In one for all, the kernel would search the parameters that it
/// caches for the containers of every host one after the other, at each access to one of them.
void provideProcfs(const std::string& path);

/// Makes the chain for a host, whose namespace has that path.
using ChainOf = std::function<Chain(const std::string& host, const std::string& stateDir)>;

/// The member "runtimeConfig" that publishes a container's two ports.
std::string portMappings(const Container& container);

/// One pons: bridge, address, masquerade and ports.
Chain ponsChain(const std::string& host, const std::string& stateDir);
/// The same with additional configuration members, each preceded by a comma.
Chain ponsChainWith(const std::string& host, const std::string& stateDir, const std::string& members);
/// The same with IPv4 and IPv6.
Chain dualStackChain(const std::string& host, const std::string& stateDir);
/// Bridge and addresses of 10.43.0.0/16 only, so that nothing is translated.
Chain plainChain(const std::string& host, const std::string& stateDir);

}  // namespace bench
