#include "plugin/firewall/prefix_sets.h"

namespace pons::prefix_sets {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

/// From one length to the next: 5 sets for IPv4, 17 for IPv6.
constexpr int kStep = 8;

}  // namespace

std::vector<int> lengthsOf(Family family) {
  std::vector<int> lengths;
  for (int length = 0; length <= bitsOf(family); length += kStep) lengths.push_back(length);
  return lengths;
}

std::vector<IpPrefix> partsOf(const IpPrefix& prefix) {
  const int length = (prefix.length() + kStep - 1) / kStep * kStep;
  std::vector<IpPrefix> parts{*IpPrefix::of(prefix.first(), length)};
  while (parts.back().last() != prefix.last()) {
    const auto next = IpAddress::fromNumber(prefix.family(), parts.back().last().number() + 1);
    parts.push_back(*IpPrefix::of(next, length));
  }
  return parts;
}

std::string nameOf(const std::string& beginning, int prefixLength) {
  return beginning + '_' + std::to_string(prefixLength);
}

std::vector<std::string> namesOf(const std::string& beginning, Family family) {
  std::vector<std::string> names;
  for (const int length : lengthsOf(family)) names.push_back(nameOf(beginning, length));
  return names;
}

}  // namespace pons::prefix_sets
