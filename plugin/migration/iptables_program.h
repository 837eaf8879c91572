// The program iptables of one family and backend, for rules of any table that others made with it. Those of pons are
// made through netlink, or by netlib/iptables.h where they must stand in the older backend's filter table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/os/program.h"
#include "netlib/values/ip_address.h"

namespace pons {

/// A rule as "iptables -S" prints it.
struct IptablesRule {
  std::string line;                ///< "-A CHAIN …"
  std::vector<std::string> words;  ///< unquoted

  /// What follows that option; empty where it is not there, or negated ("! -s ...").
  std::string_view option(std::string_view name) const;
};

/// Splits a line as iptables quotes it. EBADMSG where it cannot be a rule of that chain.
netlib::Result<IptablesRule> parseIptablesRule(const std::string& line, const std::string& chain);

class Iptables {
 public:
  enum class Backend : std::uint8_t { Nft, Legacy };

  /// ENOENT where neither "iptables-nft" (-legacy) nor "iptables" is installed.
  static netlib::Result<Iptables> open(netlib::Family family, Backend backend);

  /// Nothing where there is no such chain; with Backend::Nft that is an error, and nft::listChains() tells.
  netlib::Result<std::optional<std::vector<IptablesRule>>> rulesOf(const std::string& table,
                                                                   const std::string& chain) const;

  /// Commands of iptables-restore, done all together or not at all.
  netlib::Result<> change(const std::string& table, const std::vector<std::string>& commands) const;

 private:
  Iptables(netlib::Program list, netlib::Program restore) : list_(std::move(list)), restore_(std::move(restore)) {}

  netlib::Program list_;
  netlib::Program restore_;
};

/// "-A …" made "-D …".
std::string deletionOf(const IptablesRule& rule);

}  // namespace pons
