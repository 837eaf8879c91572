// Consecutive addresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netlib/values/ip_address.h"

namespace pons {

/// From `first` to `last`, both included, of one family.
struct AddressSpan {
  netlib::IpAddress first;
  netlib::IpAddress last;

  bool overlaps(const AddressSpan& other) const {
    return first.family() == other.first.family() && first <= other.last && other.first <= last;
  }

  /// "10.42.0.10-10.42.0.99"
  std::string toString() const { return first.toString() + "-" + last.toString(); }
  /// The inverse of toString(); nothing for other text.
  static std::optional<AddressSpan> parse(std::string_view text);

  friend bool operator==(const AddressSpan&, const AddressSpan&) = default;
};

}  // namespace pons
