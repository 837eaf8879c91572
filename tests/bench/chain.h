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

class Chain {
 public:
  /// `host` is the path of the namespace that the plugins take for the host; `stateDir` is for pons.
  Chain(std::string host, std::string stateDir, std::vector<Plugin> plugins)
      : host_(std::move(host)), stateDir_(std::move(stateDir)), plugins_(std::move(plugins)) {}

  Cost add(Container& container) const;
  Cost del(const Container& container) const;
  /// The first plugin, asked for its versions: little more than the start of a process.
  Cost start() const;

  Counts countAdd(Container& container) const;
  Counts countDel(const Container& container) const;
  Counts countStart() const;

 private:
  template <class Run>
  auto forwards(Container& container, Run run) const;
  template <class Run>
  auto backwards(const Container& container, Run run) const;
  Program program(const Plugin& plugin, const std::string& verb, const Container& container) const;

  std::string host_;
  std::string stateDir_;
  std::vector<Plugin> plugins_;
};

/// One pons: bridge, address, masquerade and ports.
Chain ponsChain(const std::string& host, const std::string& stateDir);

/// The same from the reference plugins: bridge with host-local, then portmap.
Chain referenceChain(const std::string& host, const std::string& stateDir);

/// Where the reference plugins are.
inline constexpr const char* kReferenceDirectory = "/usr/lib/cni";

}  // namespace bench
