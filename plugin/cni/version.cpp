#include "plugin/cni/version.h"

#include <algorithm>
#include <array>

#include "plugin/json/json.h"

namespace pons::cni {

namespace {

constexpr std::array<std::string_view, 7> kTexts{"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
static_assert(kTexts.size() == static_cast<std::size_t>(kNewestVersion) + 1);

std::string joined(Version oldest, std::string_view separator) {
  std::string list;
  for (const std::string_view text : versionsFrom(oldest)) list.append(list.empty() ? "" : separator).append(text);
  return list;
}

}  // namespace

std::string_view textOf(Version version) { return kTexts.at(static_cast<std::size_t>(version)); }

std::span<const std::string_view> versionsFrom(Version oldest) {
  return std::span{kTexts}.subspan(static_cast<std::size_t>(oldest));
}

std::optional<Version> parseVersion(std::string_view text) {
  if (text.empty()) return Version::V0_1_0;
  const auto found = std::ranges::find(kTexts, text);
  if (found == kTexts.end()) return std::nullopt;
  return static_cast<Version>(found - kTexts.begin());
}

std::string supportedVersions(Version oldest) { return "[\"" + joined(oldest, "\" \"") + "\"]"; }

std::string listedVersions(Version oldest) { return joined(oldest, ", "); }

std::string printVersions(std::string_view asked, Version oldest) {
  json::Writer writer{json::Style::Compact};
  writer.beginObject().member("cniVersion", asked).key("supportedVersions").beginArray();
  for (const std::string_view text : versionsFrom(oldest)) writer.value(text);
  writer.endArray().endObject();
  return writer.text() + "\n";
}

}  // namespace pons::cni
