// The JSON of the commands.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/status.h"
#include "plugin/json/json.h"

namespace pons::ctl {

/// One indented document with a newline; `write` adds the members of its top-level object.
std::string jsonDocument(auto write) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  write(writer);
  return writer.endObject().text() + "\n";
}

/// A member with an array of objects; `write` adds the members of one.
template <class T>
void writeObjects(json::Writer& writer, std::string_view name, const std::vector<T>& all, auto write) {
  writer.key(name).beginArray();
  for (const T& one : all) {
    writer.beginObject();
    write(writer, one);
    writer.endObject();
  }
  writer.endArray();
}

void writeStrings(json::Writer& writer, std::string_view name, const std::vector<std::string>& texts);

/// A number up to 2^63 - 1.
void writeNumber(json::Writer& writer, std::string_view name, std::uint64_t number);

/// "network", "container", "interface"; "pod" unless it is empty, and "plugin" of a chained plugin.
void writeKey(json::Writer& writer, const AttachmentKey& key, const std::string& pod = {});

/// "state", "shared", "what" and "subject"; "expected", "actual" and "remedy" unless the state could not be read.
void writeFault(json::Writer& writer, const Fault& fault);

/// writeKey(), "health", "ageSeconds" and "faults"; unless the record is unreadable "bridge", "hostInterface", "netns",
/// "addresses" and "ports".
void writeStatus(json::Writer& writer, const AttachmentStatus& status);

}  // namespace pons::ctl
