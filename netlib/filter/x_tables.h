// The filter table of iptables-legacy, read from the kernel itself (getsockopt(2)) without executing that program.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "netlib/values/packet_filter.h"

namespace netlib::x_tables {

class FilterTable {
 public:
  /// Nothing for a namespace without that table. EPERM without CAP_NET_ADMIN. Damaged: it cannot be parsed.
  static Result<std::optional<FilterTable>> readIfPresent(Family family);

  bool forwardPolicyDrops() const { return forwardPolicyDrops_; }
  bool hasChain(const std::string& chain) const { return chains_.contains(chain); }

  /// The chain's rules in order without those that the packet does not match; none if it does not exist. A condition is
  /// Unknown unless it is about interfaces, addresses or the state of the connection.
  std::vector<filter::Rule> rulesFor(const std::string& chain, const filter::Packet& packet) const;

 private:
  struct Interface {
    std::array<char, 16> name;
    std::array<std::uint8_t, 16> mask;
    bool isInverted;
  };
  struct Address {
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint8_t> mask;
    bool isInverted;
  };
  struct Entry {
    Interface in;
    Interface out;
    Address source;
    Address destination;
    bool hasOther = false;                                  ///< conditions that are always Unknown
    std::vector<std::vector<std::uint8_t>> conntrack = {};  ///< see matchOfXtConntrack()
    filter::Rule rule = {};
  };
  template <class Layout>
  friend class FilterTableReader;

  static filter::Match matchOf(const Interface& wanted, const std::string& name);
  static filter::Match matchOf(const Address& wanted, const std::optional<IpAddress>& address);

  bool forwardPolicyDrops_ = false;
  std::map<std::string, std::vector<Entry>> chains_;
};

}  // namespace netlib::x_tables
