#include "plugin/model/address_span.h"

namespace pons {

std::optional<AddressSpan> AddressSpan::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = netlib::IpAddress::parse(text.substr(0, dash));
  const auto last = netlib::IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->family() != last->family() || *last < *first) return std::nullopt;
  return AddressSpan{*first, *last};
}

}  // namespace pons
