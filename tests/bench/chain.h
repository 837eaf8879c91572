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

struct Plugin {
  std::string binary;
  /// The plugin's configuration, without prevResult.
  std::function<std::string(const Container&)> config;
};

/// Runs a program and returns its output.
using Call = std::function<std::string(const Program&)>;

class Chain {
 public:
  /// `host` is the path of the namespace that the plugins take for the host; `stateDir` is for pons.
  Chain(std::string host, std::string stateDir, std::vector<Plugin> plugins)
      : host_(std::move(host)), stateDir_(std::move(stateDir)), plugins_(std::move(plugins)) {}

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
  Program program(const Plugin& plugin, const std::string& verb, const Container& container) const;

  std::string host_;
  std::string stateDir_;
  std::vector<Plugin> plugins_;
};

/// What a runtime sets for a plugin.
std::vector<std::string> cniEnvironment(const std::string& verb, const Container& container, const std::string& ifName,
                                        const std::string& stateDir);

/// One pons: bridge, address, masquerade and ports.
Chain ponsChain(const std::string& host, const std::string& stateDir);
/// The same with additional configuration members, each preceded by a comma.
Chain ponsChainWith(const std::string& host, const std::string& stateDir, const std::string& members);
/// The same with IPv4 and IPv6.
Chain dualStackChain(const std::string& host, const std::string& stateDir);
/// Bridge and addresses of 10.43.0.0/16 only, so that nothing is translated.
Chain plainChain(const std::string& host, const std::string& stateDir);

/// The same as ponsChain() from the reference plugins: bridge with host-local, then portmap.
Chain referenceChain(const std::string& host, const std::string& stateDir);

}  // namespace bench
