#include "plugin/ctl/report.h"

#include "netlib/base/utf8.h"

#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"

namespace pons::ctl {

std::string propertiesText(const Properties& properties, const Terminal& terminal) {
  return tableOf(properties,
                 {{"", [](const Property& property) { return Cell{property.name}; }},
                  {"", [](const Property& property) { return property.value; }, Column::Fit::Wrap}},
                 terminal);
}

std::string plainText(const json::Value& value) {
  if (const auto text = value.string()) return netlib::printable(*text);
  if (!value.isArray()) return value.present() ? value.text() : "";
  std::vector<std::string> texts;
  for (const json::Value& item : value.items()) texts.push_back(plainText(item));
  return joined(texts);
}

bool isTrue(const json::Value& value) { return value.boolean().value_or(false); }

std::uint64_t numberIn(const json::Value& value) { return static_cast<std::uint64_t>(value.integer().value_or(0)); }

std::function<Cell(const json::Value& row)> cellOf(const std::string& member) {
  return [member](const json::Value& row) { return Cell{plainText(row[member])}; };
}

std::string viewed(const std::string& document, const View& view, const Terminal& terminal) {
  constexpr int kLevels = 8;  // around a value of a configuration
  const auto parsed = json::Document::parse(document, json::kMaxDepth + kLevels);
  return parsed ? view(parsed->root(), terminal) : parsed.error().message + "\n";
}

Answer answer(const Arguments& arguments, const std::string& document, const View& view, int exitCode,
              const std::vector<std::string>& problems) {
  return {exitCode, arguments.json ? document : viewed(document, view, arguments.terminal),
          linesOf(arguments.command, problems)};
}

}  // namespace pons::ctl
