// What tests of state directories look at.
#pragma once

#include "tests/protocol/network.h"
#include "tests/support/attachments.h"
#include "tests/support/text.h"

namespace support::state_dirs {

inline const std::string kFirstIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";
inline const std::string kSecondIpam = R"("ipam": {"subnet": "10.43.0.0/24"})";

/// A member of a configuration after others.
inline std::string at(const std::string& stateDir) { return R"(, "stateDir": ")" + stateDir + "\""; }

inline std::string vethOf(const std::string& container, const std::string& network = "demo") {
  return pons::hostVethName(keyOf(container, network)).toString();
}

inline bool isLink(const std::string& name) { return run({"ip", "link", "show", name}).ok(); }
/// Empty where it has none.
inline std::string aliasOf(const std::string& link) {
  const std::string shown = outputOf({"ip", "link", "show", link});
  const auto begin = shown.find("alias ");
  return begin == std::string::npos ? "" : shown.substr(begin + 6, shown.find('\n', begin) - begin - 6);
}
inline std::string ruleset() { return outputOf({"nft", "list", "ruleset"}); }

}  // namespace support::state_dirs
