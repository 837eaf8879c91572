// ponsctl explain without a file: the key table.
#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <iterator>

#include "netlib/base/text.h"

#include "plugin/ctl/explain.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

using cni::Key;

namespace {

std::string_view nameOf(cni::Kind kind) {
  constexpr std::array<std::string_view, 8> kNames{"boolean", "number",  "string", "list",
                                                   "object",  "objects", "object", "object"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view nameOf(cni::Status status) {
  constexpr std::array<std::string_view, 4> kNames{"used", "no effect", "refused", "of the runtime"};
  return kNames.at(static_cast<std::size_t>(status));
}

std::vector<std::string> typesOf(cni::Applets applets) {
  std::vector<std::string> types;
  for (; applets != 0; applets &= static_cast<cni::Applets>(applets - 1)) {
    types.emplace_back(cni::nameOf(static_cast<cni::Applet>(std::countr_zero(applets))));
  }
  return types;
}

/// The capability for which the runtime fills a key of runtimeConfig with the keys of this one; empty without one.
std::string capabilityOf(const Key& key) {
  constexpr std::string_view kPrefix = "runtimeConfig.";
  for (const cni::KeySection& section : cni::keySections()) {
    for (const Key& other : section.keys) {
      const bool isFor = other.path == key.path || (!other.sameAs.empty() && other.sameAs == key.path);
      if (!isFor || !other.path.starts_with(kPrefix)) continue;
      const std::string_view capability = other.path.substr(kPrefix.size());
      if (capability.find('.') == std::string_view::npos) return std::string{capability};
    }
  }
  return {};
}

void writeUnlessEmpty(json::Writer& writer, std::string_view name, std::string_view text) {
  if (!text.empty()) writer.member(name, text);
}

void writeRow(json::Writer& writer, const Key& key) {
  writer.member("key", key.path).member("kind", nameOf(key.kind)).member("status", nameOf(key.status));
  writeStrings(writer, "types", typesOf(key.applets));
  writeUnlessEmpty(writer, "default", key.byDefault);
  writeUnlessEmpty(writer, "values", key.values);
  writeUnlessEmpty(writer, "capability", capabilityOf(key));
  writeUnlessEmpty(writer, "sameAs", key.sameAs);
  writer.member("effect", key.text);
  writeUnlessEmpty(writer, "effectIfFalse", key.whenOff);
  writeUnlessEmpty(writer, "details", key.more);
  std::vector<std::string> accepted(key.accepted.begin(), key.accepted.end());
  std::erase(accepted, "");
  if (!accepted.empty()) writeStrings(writer, "accepted", accepted);
  writeUnlessEmpty(writer, "reason", key.reason);
  writer.member("common", key.isCommon).member("since", key.since);
}

/// As the decoders, without regard to case.
bool isIn(const Key& key, const std::string& path) {
  if (path.empty()) return true;
  const std::size_t length = std::min(path.size(), key.path.size());
  const std::string_view rest = key.path.substr(length);
  return netlib::equalIgnoringCase(key.path.substr(0, length), path) &&
         (rest.empty() || rest.front() == '.' || rest.front() == '[');
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text.ends_with('.') ? text : text + ".";
}

/// All that the table has of a key, as in pons.conf(5).
std::string keyText(const json::Value& key, const Terminal& terminal) {
  const auto text = [&key](const char* member) { return plainText(key[member]); };
  const auto together = [](std::string first, const std::string& second) {
    return first + (first.empty() || second.empty() ? "" : " ") + second;
  };
  Properties properties;
  const auto add = [&properties](const std::string& name, const std::string& value) {
    if (!value.empty()) properties.push_back({name, {value}});
  };
  const bool isOfRuntime = text("key").starts_with("runtimeConfig.");
  add("key", text("key"));
  add("meaning", together(sentence(text("effect")), text("details")));
  add(isOfRuntime ? "not declared" : "if false", sentence(text("effectIfFalse")));
  add("type", text("kind") + (key["values"].present() ? ": " + text("values") : ""));
  add("default", text("default"));
  add("capability", text("capability"));
  if (key["sameAs"].present()) add("its keys", "those of " + text("sameAs"));
  if (text("status") != "used") add("status", text("status"));
  add("accepted", together(text("accepted"), key["reason"].present() ? "(" + text("reason") + ")" : ""));
  add("plugins", text("types"));
  add("since", text("since"));
  return propertiesText(properties, terminal);
}

}  // namespace

std::string keysJson(const std::string& path) {
  std::size_t found = 0;
  std::string json = jsonDocument([&](json::Writer& writer) {
    writer.key("sections").beginArray();
    for (const cni::KeySection& section : cni::keySections()) {
      std::vector<Key> keys;
      std::ranges::copy_if(section.keys, std::back_inserter(keys), [&](const Key& key) { return isIn(key, path); });
      found += keys.size();
      if (keys.empty()) continue;
      writer.beginObject().member("title", section.title).member("text", section.text);
      writeObjects(writer, "keys", keys, writeRow);
      writer.endObject();
    }
    writer.endArray();
  });
  return found == 0 ? std::string{} : json;
}

std::vector<std::string> keyPaths() {
  std::vector<std::string> paths;
  for (const cni::KeySection& section : cni::keySections()) {
    for (const Key& key : section.keys) paths.emplace_back(key.path);
  }
  return paths;
}

std::string keyDetails(const json::Value& root, const Terminal& terminal) {
  std::string text;
  for (const json::Value& section : root["sections"].items()) {
    for (const json::Value& key : section["keys"].items()) text += (text.empty() ? "" : "\n") + keyText(key, terminal);
  }
  return text;
}

std::string keysText(const json::Value& root, const Terminal& terminal) {
  const std::vector<ReportColumn> columns{{.title = "KEY", .cell = cellOf("key")},
                                          {.title = "DEFAULT", .cell = cellOf("default"), .fit = Column::Fit::Wrap},
                                          {.title = "EFFECT", .cell = cellOf("effect"), .fit = Column::Fit::Wrap}};
  std::string text;
  for (const json::Value& section : root["sections"].items()) {
    text += (text.empty() ? "" : "\n") + plainText(section["title"]) + "\n";
    text += tableOf(section["keys"].items(), columns, terminal);
  }
  return text;
}

}  // namespace pons::ctl
