// A network and its containers, as a runtime keeps them for the built program; and the verbs that are about networks.
#pragma once

#include <map>

#include "tests/protocol/plugin_run.h"

namespace support {

/// GC or STATUS as a runtime calls it: without a word of any container.
Outcome callForNetwork(const std::string& verb, const std::string& config);

/// ponsctl with these arguments, and without a variable in its environment.
Outcome ponsctl(std::vector<std::string> arguments);

/// "ponsctl repair" with these arguments more.
Outcome repair(const std::vector<std::string>& arguments = {});

/// `runtimeConfig` with these mappings of host ports to container ports, by TCP.
std::string publishing(const std::map<int, int>& ports);

/// The configuration with the runtime's list of the containers that it has, each with eth0, under that key.
std::string withValid(const std::string& config, const std::vector<std::string>& containers,
                      const std::string& key = "cni.dev/valid-attachments");

class Network {
 public:
  /// `members` of the configuration besides version, name, type and bridge; the bridge is "pons-<name>".
  Network(std::string name, std::string members) : name_(std::move(name)), members_(std::move(members)) {}

  const std::string& name() const { return name_; }
  /// With these members more.
  std::string config(const std::string& more = {}) const;

  /// A new namespace, and an ADD that has to succeed, with these members more. Answers the container's address.
  std::string attach(FakeHost& host, const std::string& container, const std::string& more = {});
  /// CHECK and DEL of one that was attached.
  Outcome check(const std::string& container) const;
  Outcome del(const std::string& container) const;
  /// CHECK of all that were attached has to succeed.
  void checkAll() const;

  Outcome gc() const { return callForNetwork("GC", config()); }
  Outcome gcAllBut(const std::vector<std::string>& containers) const {
    return callForNetwork("GC", withValid(config(), containers));
  }
  Outcome status() const { return callForNetwork("STATUS", config()); }

  /// The container is no longer of interest to checkAll().
  void forget(const std::string& container) { results_.erase(container); }

 private:
  std::string name_;
  std::string members_;
  std::map<std::string, std::string> results_;  // by container
};

Subject subjectOf(const std::string& container);

/// The path of an attachment's record.
std::string recordOf(const Network& network, const std::string& container);

/// Runs a line of shell that has to succeed.
void shell(const std::string& line);

}  // namespace support
