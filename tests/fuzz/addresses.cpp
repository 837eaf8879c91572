// Addresses, prefixes, MACs and interface names: what is printed is read again as the same, and nothing else is taken.
#include <algorithm>

#include "netlib/values/if_name.h"
#include "netlib/values/ip_prefix.h"
#include "netlib/values/mac_address.h"

#include "tests/fuzz/targets.h"

namespace {

using netlib::IfName;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::MacAddress;

void checkAddress(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) return;
  HOLDS(text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos);
  HOLDS(IpAddress::parse(address->toString()) == address);
  HOLDS(IpAddress::fromBytes(address->bytes()) == address);
  HOLDS(IpAddress::fromNumber(address->family(), address->number()) == address);
  HOLDS(IpPrefix::host(*address).contains(*address));
  HOLDS(IpPrefix::host(*address).first() == *address);
}

void checkPrefix(std::string_view text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix) return;
  HOLDS(IpPrefix::parse(prefix->toString()) == prefix);
  HOLDS(prefix->length() <= netlib::bitsOf(prefix->family()));
  HOLDS(prefix->first() <= prefix->address() && prefix->address() <= prefix->last());
  HOLDS(prefix->contains(prefix->first()) && prefix->contains(prefix->last()));
  HOLDS(!prefix->network().hasHostBits());
  HOLDS(prefix->overlaps(prefix->network()));
}

void checkMac(std::string_view text) {
  const auto mac = MacAddress::parse(text);
  if (!mac) return;
  HOLDS(text.size() == 17);
  HOLDS(MacAddress::parse(mac->toString()) == mac);
}

/// dev_valid_name() of the kernel, and what makes it safe in a path.
void checkIfName(std::string_view text) {
  const auto name = IfName::parse(text);
  if (!name) return;
  HOLDS(name->toString() == text);
  HOLDS(!text.empty() && text.size() < 16 && text != "." && text != "..");
  HOLDS(std::ranges::none_of(text, [](char c) { return c == '/' || c == ':' || c == '\0' || c == ' ' || c == '\n'; }));
}

}  // namespace

void fuzz::addresses(std::string_view input) {
  checkAddress(input);
  checkPrefix(input);
  checkMac(input);
  checkIfName(input);
}
