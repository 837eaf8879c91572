#include "plugin/model/names.h"

#include <vector>

namespace pons {

std::optional<AttachmentKey> AttachmentKey::parse(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t space = text.find(' ');
    words.push_back(text.substr(0, space));
    if (space == std::string_view::npos) break;
    text.remove_prefix(space + 1);
  }
  if (words.size() != 3 && words.size() != 4) return std::nullopt;
  const auto network = NetworkName::parse(words[0]);
  const auto container = ContainerId::parse(words[1]);
  const auto ifName = netlib::IfName::parse(words[2]);
  const auto plugin = words.size() == 4 ? parseChainedPlugin(words[3]) : std::optional{ChainedPlugin::None};
  if (!network || !container || !ifName || !plugin) return std::nullopt;
  return AttachmentKey{*network, *container, *ifName, *plugin};
}

}  // namespace pons
