// The JSON of ponsctl explain.
#include "plugin/ctl/explain.h"
#include "plugin/ctl/json_output.h"

namespace pons::ctl {

namespace {

void writeError(json::Writer& writer, const std::optional<ConfigError>& error) {
  if (!error) return;
  writer.key("error").beginObject().member("message", error->message);
  if (!error->details.empty()) writer.member("details", error->details);
  if (error->place) {
    writeNumber(writer, "line", error->place->line);
    writeNumber(writer, "column", error->place->column);
  }
  writer.endObject();
}

void writeExplained(json::Writer& writer, const ExplainedKey& key) {
  writer.member("key", key.key).member("value", key.value).member("effect", key.effect);
  writer.member("default", key.byDefault);
}

void writeIgnored(json::Writer& writer, const IgnoredKey& key) {
  writer.member("key", key.key).member("value", key.value).member("why", key.why);
}

void writeStep(json::Writer& writer, const PlannedStep& step) {
  writer.member("state", step.name).member("shared", step.shared);
}

void writePlugin(json::Writer& writer, const ExplainedPlugin& plugin) {
  writer.member("type", plugin.type).member("ofPons", plugin.isOurs);
  writeError(writer, plugin.error);
  writeObjects(writer, "keys", plugin.keys, writeExplained);
  writeObjects(writer, "ignored", plugin.ignored, writeIgnored);
  writeStrings(writer, "assumptions", plugin.assumptions);
  writeObjects(writer, "plan", plugin.plan, writeStep);
}

}  // namespace

std::string explainJson(const Explained& whole) {
  return jsonDocument([&](json::Writer& writer) {
    writer.member("file", whole.file).member("network", whole.network).member("cniVersion", whole.version);
    writeError(writer, whole.error);
    writeObjects(writer, "ignored", whole.ignored, writeIgnored);
    writeObjects(writer, "plugins", whole.plugins, writePlugin);
  });
}

}  // namespace pons::ctl
