// json::Writer.
#include "netlib/base/utf8.h"

#include "plugin/json/json.h"
#include "plugin/json/rapid.h"

namespace pons::json {

using IndentedWriter = rapidjson::PrettyWriter<Buffer, Utf8, Utf8, Allocator>;

struct Writer::Sink {
  explicit Sink(Style chosen) : style(chosen), compact(buffer), indented(buffer) { indented.SetIndent(' ', 4); }

  /// Both writers share one buffer, and only the selected one writes: PrettyWriter's methods are not virtual.
  template <class Action>
  void write(Action action) {
    if (style == Style::Compact) {
      action(compact);
    } else {
      action(indented);
    }
  }

  Style style;
  Buffer buffer;
  CompactWriter compact;
  IndentedWriter indented;
};

Writer::Writer(Style style) : sink_(std::make_unique<Sink>(style)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Writer& Writer::beginObject() {
  sink_->write([](auto& writer) { writer.StartObject(); });
  return *this;
}

Writer& Writer::endObject() {
  sink_->write([](auto& writer) { writer.EndObject(); });
  return *this;
}

Writer& Writer::beginArray() {
  sink_->write([](auto& writer) { writer.StartArray(); });
  return *this;
}

Writer& Writer::endArray() {
  sink_->write([](auto& writer) { writer.EndArray(); });
  return *this;
}

Writer& Writer::key(std::string_view name) {
  sink_->write([clean = netlib::asUtf8(name)](auto& writer) { writer.Key(clean.data(), clean.size()); });
  return *this;
}

Writer& Writer::value(std::string_view text) {
  sink_->write([clean = netlib::asUtf8(text)](auto& writer) { writer.String(clean.data(), clean.size()); });
  return *this;
}

Writer& Writer::value(bool flag) {
  sink_->write([flag](auto& writer) { writer.Bool(flag); });
  return *this;
}

Writer& Writer::value(std::int64_t number) {
  sink_->write([number](auto& writer) { writer.Int64(number); });
  return *this;
}

Writer& Writer::json(std::string_view text) {
  sink_->write([text](auto& writer) { writer.RawValue(text.data(), text.size(), rapidjson::kNullType); });
  return *this;
}

std::string Writer::text() const { return {sink_->buffer.GetString(), sink_->buffer.GetSize()}; }

}  // namespace pons::json
