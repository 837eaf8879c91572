// JSON reader and writer. Only this component includes RapidJSON.
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

/// Deeper documents are refused, because RapidJSON's parser is recursive.
inline constexpr int kMaxDepth = 64;

/// A view of one value in a Document, which must outlive it. Cheap to copy.
/// JSON null, a missing key and a key of a value that is not an object are all "absent", as in Go's encoding/json.
class Value {
 public:
  Value() = default;

  bool present() const { return node_ != nullptr; }
  bool isObject() const;
  bool isArray() const;

  /// The member with that name, ASCII case-insensitive; the last one if several match. Same as Go's encoding/json
  /// (containerd sends "HostPort", the CNI conventions have "hostPort").
  Value operator[](std::string_view key) const;
  /// Whether there is such a member, even if it is null.
  bool has(std::string_view key) const;

  /// Nothing if the value is absent or has another type.
  std::optional<std::string_view> string() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;

  /// The elements of an array; empty for anything else.
  std::vector<Value> items() const;
  /// The members of an object in the order of the document; empty for anything else.
  std::vector<std::pair<std::string_view, Value>> members() const;

  /// This value as compact JSON, for messages; "null" if absent.
  std::string text() const;

 private:
  friend class Document;
  explicit Value(const void* node) : node_(node) {}

  const void* node_ = nullptr;  // a rapidjson::Value
};

/// Line and column start at 1; the column counts bytes.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;

  friend bool operator==(const Place&, const Place&) = default;
};

/// Why a text is not a document.
struct SyntaxError {
  std::string reason;
  std::optional<Place> place;  ///< nothing if it is the whole text
};

/// A parsed document. Owns all its values.
class Document {
 public:
  /// Strict JSON in UTF-8; the top-level value must be an object. Damaged, with line and column.
  static netlib::Result<Document> parse(std::string_view text);
  static netlib::Result<Document> parse(std::string_view text, int maxDepth);

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  Value root() const;
  Value operator[](std::string_view key) const { return root()[key]; }

 private:
  friend std::optional<SyntaxError> syntaxErrorIn(std::string_view text);
  struct Tree;
  explicit Document(std::unique_ptr<Tree> tree);
  static netlib::Result<Document, SyntaxError> read(std::string_view text, int maxDepth);

  std::unique_ptr<Tree> tree_;
};

Place placeAt(std::string_view text, std::size_t offset);

/// The position of the value with that path ("plugins[0].ipam.subnet", case-insensitive; "" is the top-level value).
/// Nothing if there is none or the text before it is invalid. For messages: parses the text again.
std::optional<Place> placeOf(std::string_view text, std::string_view path);

/// Why Document::parse() refuses `text`; nothing if it does not.
std::optional<SyntaxError> syntaxErrorIn(std::string_view text);

enum class Style : std::uint8_t { Compact, Indented };

/// Writes one document sequentially: begin, key, value, end. Unbalanced calls are programming errors.
/// The output is always UTF-8: invalid bytes of strings are replaced by U+FFFD.
class Writer {
 public:
  /// Indented: four spaces per level and no newline at the end, like the reference plugins.
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

  /// A value that is JSON already.
  Writer& json(std::string_view text);

  template <class T>
  Writer& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  /// The output so far.
  std::string text() const;

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace pons::json
