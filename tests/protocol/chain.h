// The program under the names of the reference plugins, and chains of them as a runtime calls them.
#pragma once

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"

namespace support {

/// Links to the program, as in a runtime's plugin directory.
class Plugins {
 public:
  Plugins() {
    std::filesystem::create_directories(kDirectory);
    for (const char* name :
         {"pons", "bridge", "loopback", "portmap", "tuning", "firewall", "bandwidth", "host-local", "static"}) {
      std::filesystem::create_symlink(PONS_BINARY, std::string{kDirectory} + "/" + name);
    }
  }

  static Outcome call(const std::string& name, const std::string& verb, const std::string& config,
                      const Subject& subject = {}) {
    return run({std::string{kDirectory} + "/" + name}, {.environment = environmentOf(verb, subject), .input = config});
  }

 private:
  static constexpr const char* kDirectory = "/run/plugins";
};

/// One plugin of a chain: its name, and the members of its configuration.
struct Link {
  std::string plugin;
  std::string members;
  std::string network = "demo";

  std::string config() const {
    return R"({"cniVersion": "1.1.0", "name": ")" + network + R"(", "type": ")" + plugin + "\"" +
           (members.empty() ? "" : ", " + members) + "}";
  }
};

/// What a runtime does with a chain for one container.
class Chain {
 public:
  explicit Chain(std::vector<Link> links) : links_(std::move(links)) {}

  /// ADD of every plugin, each with the result of the one before; the last one's result.
  std::string add(const Subject& subject = {}) {
    for (const Link& link : links_) {
      const Outcome outcome = Plugins::call(link.plugin, "ADD", with(link), subject);
      REQUIRE_MESSAGE(outcome.ok(), link.plugin << ": " << outcome.out);
      result_ = outcome.out;
    }
    return result_;
  }

  void check(const Subject& subject = {}) const {
    for (const Link& link : links_) {
      CAPTURE(link.plugin);
      checkSilent(Plugins::call(link.plugin, "CHECK", with(link), subject));
    }
  }

  /// Backwards, and without a namespace or a previous result, as containerd does it.
  void del(Subject subject = {}) const {
    subject.netns = "";
    for (auto link = links_.rbegin(); link != links_.rend(); ++link) {
      CAPTURE(link->plugin);
      checkSilent(Plugins::call(link->plugin, "DEL", link->config(), subject));
    }
  }

 private:
  std::string with(const Link& link) const {
    return result_.empty() ? link.config() : withPrevious(link.config(), result_);
  }

  std::vector<Link> links_;
  std::string result_;
};

}  // namespace support
