// What pons explain prints for programs.
#include "plugin/ctl/explain.h"
#include "plugin/json/json.h"

namespace pons::tools {

namespace {

void writeMistake(json::Writer& writer, const std::optional<Mistake>& mistake) {
  if (!mistake) return;
  writer.key("error").beginObject().member("message", mistake->message);
  if (!mistake->details.empty()) writer.member("details", mistake->details);
  if (mistake->place) {
    writer.member("line", static_cast<std::int64_t>(mistake->place->line));
    writer.member("column", static_cast<std::int64_t>(mistake->place->column));
  }
  writer.endObject();
}

void writeIgnored(json::Writer& writer, const std::vector<IgnoredKey>& ignored) {
  writer.key("ignored").beginArray();
  for (const IgnoredKey& key : ignored) {
    writer.beginObject().member("key", key.key).member("value", key.value).member("why", key.why).endObject();
  }
  writer.endArray();
}

void writePlugin(json::Writer& writer, const ExplainedPlugin& plugin) {
  writer.beginObject().member("type", plugin.type).member("ofPons", plugin.isOurs);
  writeMistake(writer, plugin.mistake);
  writer.key("keys").beginArray();
  for (const KeyMeaning& key : plugin.keys) {
    writer.beginObject().member("key", key.key).member("value", key.value).member("effect", key.effect);
    writer.member("default", key.byDefault).endObject();
  }
  writer.endArray();
  writeIgnored(writer, plugin.ignored);
  writer.key("assumptions").beginArray();
  for (const std::string& assumption : plugin.assumptions) writer.value(assumption);
  writer.endArray().key("plan").beginArray();
  for (const PlannedState& state : plugin.plan) {
    writer.beginObject().member("state", state.name).member("shared", state.shared).endObject();
  }
  writer.endArray().endObject();
}

}  // namespace

std::string explainJson(const Explained& whole) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().member("file", whole.file).member("network", whole.network);
  writer.member("cniVersion", whole.version);
  writeMistake(writer, whole.mistake);
  writeIgnored(writer, whole.ignored);
  writer.key("plugins").beginArray();
  for (const ExplainedPlugin& plugin : whole.plugins) writePlugin(writer, plugin);
  writer.endArray().endObject();
  return writer.text() + "\n";
}

}  // namespace pons::tools
