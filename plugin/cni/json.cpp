#include "plugin/cni/json.h"

#include <algorithm>
#include <cstdlib>
#include <new>

// A size_t length throughout: RapidJSON's default is 32 bits wide.
#define RAPIDJSON_NO_SIZETYPEDEFINE
namespace rapidjson {
using SizeType = ::std::size_t;
}
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "plugin/cni/text.h"

namespace pons::json {

namespace {

/// RapidJSON's own one answers null where memory ends, and its callers write there. The names are RapidJSON's.
// NOLINTBEGIN(readability-identifier-naming)
struct Allocator {
  [[maybe_unused]] static constexpr bool kNeedFree = true;
  void* Malloc(std::size_t size) { return Realloc(nullptr, 0, size); }
  void* Realloc(void* original, std::size_t /*originalSize*/, std::size_t size) {
    if (size == 0) {
      Free(original);
      return nullptr;
    }
    void* grown = std::realloc(original, size);
    if (grown == nullptr) throw std::bad_alloc{};
    return grown;
  }
  static void Free(void* memory) { std::free(memory); }
};
// NOLINTEND(readability-identifier-naming)

using Utf8 = rapidjson::UTF8<>;
using Pool = rapidjson::MemoryPoolAllocator<Allocator>;
using Node = rapidjson::GenericValue<Utf8, Pool>;
using Buffer = rapidjson::GenericStringBuffer<Utf8, Allocator>;
using CompactWriter = rapidjson::Writer<Buffer, Utf8, Utf8, Allocator>;
using IndentedWriter = rapidjson::PrettyWriter<Buffer, Utf8, Utf8, Allocator>;

const Node& nodeOf(const void* node) { return *static_cast<const Node*>(node); }

std::string_view textOf(const Node& value) { return {value.GetString(), value.GetStringLength()}; }

bool equalIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lowerCaseOf, lowerCaseOf);
}

/// RapidJSON recurses once a level and has no limit of its own, so the depth is looked at before it starts.
bool isTooDeep(std::string_view text) {
  int depth = 0;
  bool inString = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inString && c == '\\') {
      ++i;
    } else if (c == '"') {
      inString = !inString;
    } else if (!inString && (c == '{' || c == '[')) {
      if (++depth > kMaxDepth) return true;
    } else if (!inString && (c == '}' || c == ']')) {
      --depth;
    }
  }
  return false;
}

/// Follows the parser with the path of where it is. The names of its methods are RapidJSON's.
// NOLINTBEGIN(readability-identifier-naming)
class Tracker : public rapidjson::BaseReaderHandler<Utf8, Tracker> {
 public:
  Tracker(const rapidjson::MemoryStream& stream, std::string_view text, std::string_view wanted)
      : stream_(stream), text_(text), wanted_(wanted) {}

  std::optional<std::size_t> found() const { return found_; }

  /// Of every value that is neither an object nor an array.
  bool Default() { return value(); }
  bool StartObject() { return begin(false); }
  bool Key(const char* name, std::size_t length, bool /*copy*/) {
    levels_.back().key = {name, length};
    last_ = stream_.Tell();
    return true;
  }
  bool EndObject(std::size_t /*count*/) { return end(); }
  bool StartArray() { return begin(true); }
  bool EndArray(std::size_t /*count*/) { return end(); }

 private:
  struct Level {
    bool isArray;
    std::string key = {};
    std::size_t index = 0;
  };

  std::string path() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.isArray) {
        path += "[" + std::to_string(level.index) + "]";
      } else {
        path += (path.empty() ? "" : ".") + level.key;
      }
    }
    return path;
  }

  /// A value begins behind what was read before it and the characters that separate. The last of several members of one
  /// name counts, as everywhere.
  void note() {
    if (!equalIgnoringCase(path(), wanted_)) return;
    found_ = text_.find_first_not_of(" \t\r\n,:", last_);
  }
  bool value() {
    note();
    return next();
  }
  bool begin(bool isArray) {
    note();
    last_ = stream_.Tell();
    levels_.push_back({isArray});
    return true;
  }
  bool end() {
    levels_.pop_back();
    return next();
  }
  bool next() {
    if (!levels_.empty() && levels_.back().isArray) ++levels_.back().index;
    last_ = stream_.Tell();
    return true;
  }

  const rapidjson::MemoryStream& stream_;
  std::string_view text_;
  std::string_view wanted_;
  std::vector<Level> levels_;
  std::size_t last_ = 0;
  std::optional<std::size_t> found_;
};
// NOLINTEND(readability-identifier-naming)

std::string textOf(const Place& place) {
  return "line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
}

}  // namespace

bool Value::isObject() const { return present() && nodeOf(node_).IsObject(); }
bool Value::isArray() const { return present() && nodeOf(node_).IsArray(); }

Value Value::operator[](std::string_view key) const {
  if (!isObject()) return {};
  const auto members = nodeOf(node_).GetObject();
  for (auto member = members.MemberEnd(); member != members.MemberBegin();) {
    --member;
    if (equalIgnoringCase(textOf(member->name), key)) return member->value.IsNull() ? Value{} : Value{&member->value};
  }
  return {};
}

std::optional<std::string_view> Value::string() const {
  if (!present() || !nodeOf(node_).IsString()) return std::nullopt;
  return textOf(nodeOf(node_));
}

std::optional<bool> Value::boolean() const {
  if (!present() || !nodeOf(node_).IsBool()) return std::nullopt;
  return nodeOf(node_).GetBool();
}

std::optional<std::int64_t> Value::integer() const {
  if (!present() || !nodeOf(node_).IsInt64()) return std::nullopt;
  return nodeOf(node_).GetInt64();
}

std::vector<Value> Value::items() const {
  std::vector<Value> items;
  if (!isArray()) return items;
  for (const Node& item : nodeOf(node_).GetArray()) items.push_back(item.IsNull() ? Value{} : Value{&item});
  return items;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  std::vector<std::pair<std::string_view, Value>> members;
  if (!isObject()) return members;
  for (const auto& member : nodeOf(node_).GetObject()) {
    members.emplace_back(textOf(member.name), member.value.IsNull() ? Value{} : Value{&member.value});
  }
  return members;
}

std::string Value::text() const {
  if (!present()) return "null";
  Buffer buffer;
  CompactWriter writer{buffer};
  nodeOf(node_).Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

struct Document::Tree {
  rapidjson::GenericDocument<Utf8, Pool, Allocator> document;
};

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

netlib::Result<Document> Document::parse(std::string_view text) {
  if (isTooDeep(text)) {
    return netlib::fail(EBADMSG, "JSON nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  // RapidJSON takes a zero byte for the end of the text, and skips a byte order mark.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return netlib::fail(EBADMSG, "not JSON at " + textOf(placeAt(text, zero)) + ": a zero byte");
  }
  if (text.starts_with("\xef\xbb\xbf")) return netlib::fail(EBADMSG, "not JSON: it begins with a byte order mark");

  auto tree = std::make_unique<Tree>();
  auto& document = tree->document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    const std::string reason = rapidjson::GetParseError_En(document.GetParseError());
    return netlib::fail(EBADMSG, "not JSON at " + textOf(placeAt(text, document.GetErrorOffset())) + ": " + reason);
  }
  if (!document.IsObject()) return netlib::fail(EBADMSG, "JSON whose top is not an object");
  return Document{std::move(tree)};
}

Value Document::root() const { return Value{static_cast<const Node*>(&tree_->document)}; }

Place placeAt(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  const std::size_t lineStart = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  return {line, before.size() - lineStart + 1};
}

std::optional<Place> placeOf(std::string_view text, std::string_view path) {
  rapidjson::MemoryStream stream{text.data(), text.size()};
  Tracker tracker{stream, text, path};
  rapidjson::Reader reader;
  reader.Parse(stream, tracker);
  const auto offset = tracker.found();
  return offset ? std::optional{placeAt(text, *offset)} : std::nullopt;
}

std::optional<Place> mistakeIn(std::string_view text) {
  rapidjson::MemoryStream stream{text.data(), text.size()};
  rapidjson::BaseReaderHandler<> anything;
  rapidjson::Reader reader;
  reader.Parse<rapidjson::kParseValidateEncodingFlag>(stream, anything);
  return reader.HasParseError() ? std::optional{placeAt(text, reader.GetErrorOffset())} : std::nullopt;
}

struct Writer::Sink {
  explicit Sink(Style chosen) : style(chosen), compact(buffer), indented(buffer) { indented.SetIndent(' ', 4); }

  /// Both writers share one buffer and only the chosen one ever writes: PrettyWriter's methods are not virtual.
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
  sink_->write([clean = asUtf8(name)](auto& writer) { writer.Key(clean.data(), clean.size()); });
  return *this;
}

Writer& Writer::value(std::string_view text) {
  sink_->write([clean = asUtf8(text)](auto& writer) { writer.String(clean.data(), clean.size()); });
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

std::string Writer::text() const { return {sink_->buffer.GetString(), sink_->buffer.GetSize()}; }

}  // namespace pons::json
