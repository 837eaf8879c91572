// x_tables and iptables-nft rules, read and changed by executing iptables: the x_tables interface of the kernel
// replaces whole tables, so all programs go through iptables and its lock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/os/program.h"
#include "netlib/values/ip_address.h"

namespace netlib::iptables {

/// A rule as "iptables -S" prints it.
struct Rule {
  std::string text;                ///< "-A FORWARD -i br0 -j ACCEPT"
  std::vector<std::string> words;  ///< of `text`, without quotes

  /// The word after that option; empty if there is none, or if it is negated ("! -s ...").
  std::string_view option(std::string_view name) const;
  /// The command that deletes this rule: "-D FORWARD ...".
  std::string deletion() const { return "-D" + text.substr(2); }
};

/// A line of "iptables -S CHAIN". Damaged if it is not a rule of that chain.
Result<Rule> parseRule(const std::string& line, const std::string& chain);

/// The tables of x_tables (iptables-legacy) in this network namespace (/proc/net/ip_tables_names). iptables-legacy
/// itself would create a table by reading it. Empty for a kernel without x_tables. EACCES: see
/// x_tables::FilterTable::readIfPresent().
Result<std::vector<std::string>> tableNames(Family family);

enum class Backend : std::uint8_t { Nft, Legacy };
/// If iptables-nft or -legacy is not installed: the program "iptables", whichever backend it has.
enum class Fallback : bool { None, Plain };

/// iptables and iptables-restore of one family and backend, from /usr/sbin, /sbin, /usr/bin or /bin (see
/// Program::find()). They wait 10 s for the lock of x_tables and are killed after 20 s. Errors: Program with the first
/// line of stderr, and those of Program::run().
class Iptables {
 public:
  /// Missing: not installed. Unsafe: a user other than root could have written it.
  static Result<Iptables> open(Family family, Backend backend, Fallback fallback = Fallback::None);

  /// Nothing if there is no such chain. With Backend::Nft that is an error: use nft::listChains() first.
  Result<std::optional<std::vector<Rule>>> rulesOf(const std::string& table, const std::string& chain) const;

  /// Commands of iptables-restore ("-I FORWARD 1 -i br0 -j ACCEPT"), applied atomically.
  Result<> change(const std::string& table, const std::vector<std::string>& commands) const;

 private:
  Iptables(Program list, Program restore) : list_(std::move(list)), restore_(std::move(restore)) {}

  Program list_;
  Program restore_;
};

}  // namespace netlib::iptables
