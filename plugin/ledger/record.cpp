#include "plugin/ledger/record.h"

#include "netlib/base/escape.h"

#include "plugin/json/json.h"
#include "plugin/model/attachment_fields.h"

namespace pons {

namespace {

/// Writes the members of one object, along attachment_fields.h.
class FieldWriter {
 public:
  explicit FieldWriter(json::Writer& writer) : writer_(writer) {}

  template <class T>
  void operator()(std::string_view name, const T& field) {
    writer_.key(name);
    write(field);
  }
  template <class T>
  void operator()(std::string_view name, const T& field, const Otherwise<T>& otherwise) {
    if (field != otherwise) (*this)(name, field);
  }
  void nested(std::string_view name, auto visitMembers) {
    writer_.key(name).beginObject();
    visitMembers(*this);
    writer_.endObject();
  }

 private:
  template <class T>
  void write(const T& field) {
    if constexpr (std::same_as<T, bool>) {
      writer_.value(field);
    } else if constexpr (std::integral<T>) {
      writer_.value(static_cast<std::int64_t>(field));  // json::Value reads signed numbers, and the reader casts back
    } else if constexpr (std::is_enum_v<T>) {
      writer_.value(nameOf(field));
    } else if constexpr (std::same_as<T, netlib::IfName>) {
      writer_.value(netlib::escaped(field.toString()));
    } else if constexpr (requires { field.toString(); }) {
      writer_.value(field.toString());
    } else {
      writer_.beginObject();
      visitFields(*this, field);
      writer_.endObject();
    }
  }

  void write(const std::string& bytes) { writer_.value(netlib::escaped(bytes)); }

  template <class T>
  void write(const std::optional<T>& field) {
    write(*field);  // an absent one is left out
  }

  template <class T>
  void write(const std::vector<T>& items) {
    writer_.beginArray();
    for (const T& item : items) write(item);
    writer_.endArray();
  }

  void write(const std::map<std::string, std::string>& values) {
    writer_.beginObject();
    for (const auto& [name, value] : values) writer_.member(netlib::escaped(name), netlib::escaped(value));
    writer_.endObject();
  }

  json::Writer& writer_;
};

/// Ends the record with the state, padded to constant length.
std::string finished(json::Writer& writer, RecordState state) {
  writer.member("state", nameOf(state)).endObject();
  const std::size_t padding = nameOf(RecordState::Committed).size() - nameOf(state).size();
  return writer.text() + std::string(padding, ' ') + "\n";
}

}  // namespace

void writeFields(json::Writer& writer, const Attachment& attachment) {
  FieldWriter visit{writer};
  visitFields(visit, attachment);
}

std::string encodeRecord(const Attachment& attachment, RecordState state) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().member("format", kRecordFormat);
  writeFields(writer, attachment);
  return finished(writer, state);
}

std::string recordTail(RecordState state) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  return finished(writer, state).substr(1);  // without the opening brace
}

}  // namespace pons
