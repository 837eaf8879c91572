// The names by which a runtime calls an attachment. Each is checked once, at the border, and is then safe as part of a
// path (CNI 1.1.0, "CNI_CONTAINERID" and "name").
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "netlib/values/if_name.h"

namespace pons {

/// Letters, digits, '_', '.' and '-', beginning with a letter or digit; at most 200 bytes, so that it fits into a file
/// name together with an interface name. `Tag` keeps names of different things apart.
template <class Tag>
class Name {
 public:
  static constexpr std::size_t kMaxLength = 200;

  static std::optional<Name> parse(std::string_view text) {
    if (text.empty() || text.size() > kMaxLength || !isAlphanumeric(text.front())) return std::nullopt;
    if (!std::ranges::all_of(text, [](char c) { return isAlphanumeric(c) || c == '_' || c == '.' || c == '-'; })) {
      return std::nullopt;
    }
    return Name{text};
  }

  const std::string& toString() const { return text_; }

  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  explicit Name(std::string_view text) : text_(text) {}

  // Not std::isalnum: that depends on the locale.
  static bool isAlphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }

  std::string text_;
};

using ContainerId = Name<struct ContainerIdTag>;
using NetworkName = Name<struct NetworkNameTag>;

/// What a plugin of a chain did for a container's interface. Those that come after the network's own have records of
/// their own, each taken away by its own DEL.
enum class Part : std::uint8_t { Network, Portmap, Firewall, Bandwidth, Tuning };

inline constexpr std::array kChainedParts{
    std::pair{Part::Portmap, std::string_view{"portmap"}}, std::pair{Part::Firewall, std::string_view{"firewall"}},
    std::pair{Part::Bandwidth, std::string_view{"bandwidth"}}, std::pair{Part::Tuning, std::string_view{"tuning"}}};

/// Empty for the network itself.
constexpr std::string_view nameOf(Part part) {
  for (const auto& [chained, name] : kChainedParts) {
    if (chained == part) return name;
  }
  return {};
}

/// Of a chained part; nothing for any other text.
constexpr std::optional<Part> parsePart(std::string_view text) {
  for (const auto& [chained, name] : kChainedParts) {
    if (name == text) return chained;
  }
  return std::nullopt;
}

/// What one attachment is known by, to runtimes and to the ledger alike.
struct AttachmentKey {
  NetworkName network;
  ContainerId container;
  netlib::IfName ifName;
  Part part = Part::Network;

  /// "network container ifname", and the chained part behind it, as messages and link aliases show it.
  std::string toString() const {
    const std::string text = network.toString() + " " + container.toString() + " " + ifName.toString();
    return part == Part::Network ? text : text + " " + std::string{nameOf(part)};
  }

  /// From such a text; nothing for any other.
  static std::optional<AttachmentKey> parse(std::string_view text);

  friend auto operator<=>(const AttachmentKey&, const AttachmentKey&) = default;
};

}  // namespace pons
