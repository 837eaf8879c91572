// An address with a prefix length: a subnet, or an interface's address in one.
#pragma once

#include "netlib/values/ip_address.h"

namespace netlib {

/// The length is always within the family's bits. Host bits are kept: 10.0.0.7/24 is an address inside 10.0.0.0/24.
class IpPrefix {
 public:
  /// "address/length", both strict (no sign, no leading zero, no space); nothing otherwise.
  static std::optional<IpPrefix> parse(std::string_view text);

  /// Nothing if `length` is outside 0..32 or 0..128.
  static std::optional<IpPrefix> of(const IpAddress& address, int length);

  /// The address alone, as /32 or /128.
  static IpPrefix host(const IpAddress& address) { return {address, bitsOf(address.family())}; }

  Family family() const { return address_.family(); }
  const IpAddress& address() const { return address_; }
  int length() const { return length_; }

  /// The same prefix without host bits.
  IpPrefix network() const { return {first(), length_}; }
  /// First and last address: for IPv4 the network and the broadcast address.
  IpAddress first() const;
  IpAddress last() const;
  bool hasHostBits() const { return address_ != first(); }

  bool contains(const IpAddress& address) const;
  bool overlaps(const IpPrefix& other) const;

  std::string toString() const { return address_.toString() + "/" + std::to_string(length_); }

  friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

 private:
  IpPrefix(const IpAddress& address, int length) : address_(address), length_(length) {}
  Uint128 hostMask() const;

  IpAddress address_;
  int length_;
};

}  // namespace netlib
