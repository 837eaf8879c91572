// A container from the runtime's view: calls a list of plugins, and keeps their result.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "tests/many/form.h"
#include "tests/protocol/plugin_run.h"

namespace support {

/// The runtime's plugin directory: pons by all of its names, but those of `foreign`, which are Debian's.
void installPlugins(const std::set<std::string>& foreign);

class Container {
 public:
  /// In a new namespace, where it answers on all of its ports with its name.
  Container(FakeHost& host, std::string name, std::string version, Wish wish);

  /// ADD of every plugin, each with the result of the one before; throws where one fails. There has to be an address
  /// from each subnet.
  void attach();
  /// CHECK of every plugin, with the last result.
  void check() const;
  /// DEL backwards, with the last result.
  void detach();

  const std::string& name() const { return name_; }
  const std::string& netns() const { return netns_; }
  const Wish& wish() const { return wish_; }
  bool isAttached() const { return !result_.empty(); }
  /// Of the last result, without their length.
  const std::vector<netlib::IpAddress>& addresses() const { return addresses_; }

 private:
  Outcome call(const std::string& verb, const Plugin& plugin) const;
  std::string configOf(const Plugin& plugin) const;

  std::string name_;
  std::string netns_;
  std::string version_;
  Wish wish_;
  std::string result_;
  std::vector<netlib::IpAddress> addresses_;
  std::list<Server> servers_;
};

}  // namespace support
