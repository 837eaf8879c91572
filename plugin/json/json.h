// JSON in and out. With json.cpp the only place that knows RapidJSON; used by cni/ for the protocol and by ledger/ for
// its records.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netlib/base/result.h"

namespace pons::json {

/// Deeper documents are refused: no configuration comes near it, and the parser's stack stays bounded.
inline constexpr int kMaxDepth = 64;

/// A look at one value inside a Document, valid as long as the Document. Cheap to copy.
/// JSON null, a missing key and a key of something that is no object all read as "absent", as in Go's decoder.
class Value {
 public:
  Value() = default;

  bool present() const { return node_ != nullptr; }
  bool isObject() const;
  bool isArray() const;

  /// The member of that name: ASCII case-insensitive, and the last one where several match, as Go's decoder has it
  /// (containerd sends "HostPort" where the convention says "hostPort").
  Value operator[](std::string_view key) const;
  /// True where such a member is there, be it null.
  bool has(std::string_view key) const;

  /// Nothing where the value is absent or of another type.
  std::optional<std::string_view> string() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;

  /// The elements of an array; empty for anything else.
  std::vector<Value> items() const;
  /// The members of an object in the order of the document; empty for anything else.
  std::vector<std::pair<std::string_view, Value>> members() const;

  /// Compact JSON text of this value, for messages; "null" where absent.
  std::string text() const;

 private:
  friend class Document;
  explicit Value(const void* node) : node_(node) {}

  const void* node_ = nullptr;  // a rapidjson::Value
};

/// A parsed document that owns all its values.
class Document {
 public:
  /// Strict JSON in UTF-8 whose top is an object; nothing may follow it. The error (EBADMSG) tells line and column.
  static netlib::Result<Document> parse(std::string_view text);

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  Value root() const;
  Value operator[](std::string_view key) const { return root()[key]; }

 private:
  struct Tree;
  explicit Document(std::unique_ptr<Tree> tree);

  std::unique_ptr<Tree> tree_;
};

/// Both count from 1, the column in bytes.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;

  friend bool operator==(const Place&, const Place&) = default;
};
Place placeAt(std::string_view text, std::size_t offset);

/// Where the value with that path from the top ("plugins[0].ipam.subnet", case-insensitive; "" is the document) begins.
/// Nothing where there is none, or the text before it is not JSON. For messages: it reads the text once more.
std::optional<Place> placeOf(std::string_view text, std::string_view path);

/// Where the text stops to be JSON; nothing where it is.
std::optional<Place> mistakeIn(std::string_view text);

enum class Style : std::uint8_t { Compact, Indented };

/// Writes one document from front to back: begin, key, value, end. Unbalanced calls are programming errors.
/// The document is always UTF-8: bytes of a text that are not are replaced by U+FFFD.
class Writer {
 public:
  /// Indented is the reference plugins' form: four spaces and no newline at the end.
  explicit Writer(Style style);
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  Writer& beginObject();
  Writer& endObject();
  Writer& beginArray();
  Writer& endArray();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view{text}); }
  Writer& value(bool flag);
  Writer& value(std::int64_t number);
  Writer& value(int number) { return value(std::int64_t{number}); }
  Writer& value(std::uint32_t number) { return value(std::int64_t{number}); }

  template <class T>
  Writer& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  /// The text so far.
  std::string text() const;

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace pons::json
