// Runs of ponsctl probe, and the hosts on which it is tried.
#pragma once

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/traffic.h"
#include "tests/tools/tool_run.h"

namespace support {

inline const std::string kSubnet = R"("ipam": {"subnet": "10.42.0.0/24"})";
/// A lost neighbour advertisement on a busy machine is solicited again after one second.
inline const std::string kPatient = "3";
inline const std::string kImpatient = "0.3";

struct ProbeRun {
  Outcome outcome;
  pons::json::Document document;

  std::vector<pons::json::Value> rows() const { return document["attachments"].items().at(0)["probes"].items(); }
  /// The member of the only row with that target and address.
  std::string member(const std::string& name, const std::string& target, const std::string& address) const {
    std::string found;
    for (const auto& row : rows()) {
      if (textOf(row["target"]) == target && textOf(row["address"]) == address) found = textOf(row[name]);
    }
    CHECK_MESSAGE(!found.empty(), target << " " << address << " in " << outcome.out);
    return found;
  }
  void check(const std::string& target, const std::string& address, const std::string& verdict,
             const std::string& part = "") const {
    CAPTURE(target);
    CAPTURE(address);
    CHECK_MESSAGE(member("verdict", target, address) == verdict, outcome.out);
    CHECK_MESSAGE(contains(member("result", target, address), part), outcome.out);
  }
};

inline Outcome probeText(const std::string& container, const std::string& timeout) {
  return tool({"probe", container, "--timeout", timeout, "--config-dir", "/run/net.d"}, {"COLUMNS=80"});
}

inline ProbeRun probe(const std::string& container, const std::string& timeout) {
  Outcome outcome = tool({"probe", container, "--json", "--timeout", timeout, "--config-dir", "/run/net.d"});
  auto document = jsonOf(outcome);
  return {std::move(outcome), std::move(document)};
}

/// A network whose configuration is in the directory.
inline Network configured(const std::string& members) {
  Network network{"demo", members};
  std::filesystem::create_directories("/run/net.d");
  setContent("/run/net.d/1.conf", network.config());
  return network;
}

inline Place in(const std::string& container) { return "/run/netns/" + container; }

/// A chain of the administrator, with one rule.
inline void addWall(const std::string& hook, const std::string& rule) {
  shell("nft add table inet wall && nft 'add chain inet wall " + hook + " { type filter hook " + hook + " priority 0" +
        "; }' && nft 'add rule inet wall " + rule + "'");
}

}  // namespace support
