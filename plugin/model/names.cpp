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
  const auto part = words.size() == 4 ? parsePart(words[3]) : std::optional{Part::Network};
  if (!network || !container || !ifName || !part) return std::nullopt;
  return AttachmentKey{*network, *container, *ifName, *part};
}

}  // namespace pons
