#include "plugin/json/json.h"

#include <algorithm>

#include "netlib/base/text.h"

#include "plugin/json/rapid.h"

namespace pons::json {

namespace {

using Pool = rapidjson::MemoryPoolAllocator<Allocator>;
using Node = rapidjson::GenericValue<Utf8, Pool>;

const Node& nodeOf(const void* node) { return *static_cast<const Node*>(node); }

std::string_view textOf(const Node& value) { return {value.GetString(), value.GetStringLength()}; }

/// The offset of an escaped low surrogate without a high one before it: RapidJSON accepts it and writes invalid UTF-8.
/// In a text that RapidJSON has parsed every backslash begins an escape, and every high surrogate is followed by a low
/// one.
std::optional<std::size_t> unpairedSurrogateIn(std::string_view text) {
  constexpr std::size_t kPair = 12;  // bytes
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const std::string escape = netlib::lowerCase(text.substr(at + 1, 3));
    if (escape >= "udc" && escape <= "udf") return at;
    at += escape >= "ud8" && escape <= "udb" ? kPair : 2;
  }
  return std::nullopt;
}

/// Null if the node is not an object or has no such member.
const Node* memberOf(const void* node, std::string_view key) {
  if (node == nullptr || !nodeOf(node).IsObject()) return nullptr;
  const auto members = nodeOf(node).GetObject();
  for (auto member = members.MemberEnd(); member != members.MemberBegin();) {
    --member;
    if (netlib::equalIgnoringCase(textOf(member->name), key)) return &member->value;
  }
  return nullptr;
}

/// Of the comma after the last element of an object or array, which ends at `offset`.
std::optional<std::size_t> needlessCommaBefore(std::string_view text, std::size_t offset) {
  const bool isEnd = offset < text.size() && (text[offset] == '}' || text[offset] == ']');
  const std::size_t last = text.substr(0, offset).find_last_not_of(" \t\r\n");
  return isEnd && last != std::string_view::npos && text[last] == ',' ? std::optional{last} : std::nullopt;
}

netlib::Failure<SyntaxError> at(std::string_view text, std::size_t offset, std::string reason) {
  return {{std::move(reason), placeAt(text, offset)}};
}

netlib::Failure<SyntaxError> whole(std::string reason) { return {{std::move(reason), std::nullopt}}; }

std::string textOf(const Place& place) {
  return " at line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
}

}  // namespace

bool isTooDeep(std::string_view text, int maxDepth) {
  int depth = 0;
  bool inString = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inString && c == '\\') {
      ++i;
    } else if (c == '"') {
      inString = !inString;
    } else if (!inString && (c == '{' || c == '[')) {
      if (++depth > maxDepth) return true;
    } else if (!inString && (c == '}' || c == ']')) {
      --depth;
    }
  }
  return false;
}

bool Value::isObject() const { return present() && nodeOf(node_).IsObject(); }
bool Value::isArray() const { return present() && nodeOf(node_).IsArray(); }

Value Value::operator[](std::string_view key) const {
  const auto* found = memberOf(node_, key);
  return found == nullptr || found->IsNull() ? Value{} : Value{found};
}

bool Value::has(std::string_view key) const { return memberOf(node_, key) != nullptr; }

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
  // A configuration needs one or two chunks. RapidJSON's default of 64 KiB would cause needless page faults.
  static constexpr std::size_t kChunkBytes = 4 * 1024;
  Pool pool{kChunkBytes};
  rapidjson::GenericDocument<Utf8, Pool, Allocator> document{&pool};
};

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

netlib::Result<Document, SyntaxError> Document::read(std::string_view text, int maxDepth) {
  if (isTooDeep(text, maxDepth)) return whole("nested deeper than " + std::to_string(maxDepth) + " levels");
  // RapidJSON accepts both: it stops at a zero byte and skips a byte order mark.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return at(text, zero, "a zero byte, as in a binary file");
  }
  if (text.starts_with("\xef\xbb\xbf")) return whole("it begins with a byte order mark");

  auto tree = std::make_unique<Tree>();
  auto& document = tree->document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    const std::size_t offset = document.GetErrorOffset();
    if (const auto comma = needlessCommaBefore(text, offset)) return at(text, *comma, "this comma is one too many");
    return at(text, offset, rapidjson::GetParseError_En(document.GetParseError()));
  }
  if (const auto unpaired = unpairedSurrogateIn(text)) return at(text, *unpaired, "unpaired surrogate");
  if (!document.IsObject()) return whole("the top-level value must be an object");
  return Document{std::move(tree)};
}

netlib::Result<Document> Document::parse(std::string_view text) { return parse(text, kMaxDepth); }

netlib::Result<Document> Document::parse(std::string_view text, int maxDepth) {
  auto document = read(text, maxDepth);
  if (document.ok()) return std::move(*document);
  const auto& [reason, place] = document.error();
  return netlib::fail(netlib::Cause::Damaged, "invalid JSON" + (place ? textOf(*place) : "") + ": " + reason);
}

std::optional<SyntaxError> syntaxErrorIn(std::string_view text) {
  auto document = Document::read(text, kMaxDepth);
  return document.ok() ? std::nullopt : std::optional{std::move(document).error()};
}

Value Document::root() const { return Value{static_cast<const Node*>(&tree_->document)}; }

}  // namespace pons::json
