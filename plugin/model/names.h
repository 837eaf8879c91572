// The names that identify an attachment. Each is validated once, when it is parsed, and is then safe as part of a path
// (CNI 1.1.0, "CNI_CONTAINERID" and "name").
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "netlib/values/if_name.h"

namespace pons {

/// Letters, digits, '_', '.' and '-', beginning with a letter or digit; at most 200 bytes, so that it fits into a file
/// name together with an interface name. `Tag` makes container ids and network names distinct types.
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

  // std::isalnum depends on the locale.
  static bool isAlphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }

  std::string text_;
};

using ContainerId = Name<struct ContainerIdTag>;
using NetworkName = Name<struct NetworkNameTag>;

/// The chained plugin that an attachment belongs to; None: the plugin that created the interface. Each chained plugin
/// has a record of its own, which its own DEL removes.
enum class ChainedPlugin : std::uint8_t { None, Portmap, Firewall, Bandwidth, Tuning };

inline constexpr std::array kChainedPlugins{std::pair{ChainedPlugin::Portmap, std::string_view{"portmap"}},
                                            std::pair{ChainedPlugin::Firewall, std::string_view{"firewall"}},
                                            std::pair{ChainedPlugin::Bandwidth, std::string_view{"bandwidth"}},
                                            std::pair{ChainedPlugin::Tuning, std::string_view{"tuning"}}};

/// Empty for None.
constexpr std::string_view nameOf(ChainedPlugin plugin) {
  for (const auto& [chained, name] : kChainedPlugins) {
    if (chained == plugin) return name;
  }
  return {};
}

constexpr std::optional<ChainedPlugin> parseChainedPlugin(std::string_view text) {
  for (const auto& [chained, name] : kChainedPlugins) {
    if (name == text) return chained;
  }
  return std::nullopt;
}

/// Identifies an attachment, for the runtime and in the ledger.
struct AttachmentKey {
  NetworkName network;
  ContainerId container;
  netlib::IfName ifName;
  ChainedPlugin plugin = ChainedPlugin::None;

  /// "network container ifname", or "network container ifname plugin" for a chained plugin; in messages and link
  /// aliases.
  std::string toString() const {
    const std::string text = network.toString() + " " + container.toString() + " " + ifName.toString();
    return plugin == ChainedPlugin::None ? text : text + " " + std::string{nameOf(plugin)};
  }

  /// The inverse of toString().
  static std::optional<AttachmentKey> parse(std::string_view text);

  friend auto operator<=>(const AttachmentKey&, const AttachmentKey&) = default;
};

}  // namespace pons
