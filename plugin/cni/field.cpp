#include "plugin/cni/field.h"

#include <algorithm>

#include "netlib/base/text.h"

namespace pons::cni {

namespace {

void (*keyObserver)(const std::string& path) = nullptr;

std::optional<netlib::IpPrefix> parseNetwork(std::string_view text) {
  if (const auto address = netlib::IpAddress::parse(text)) return netlib::IpPrefix::host(*address);
  const auto prefix = netlib::IpPrefix::parse(text);
  return prefix ? std::optional{prefix->network()} : std::nullopt;
}

/// What is expected in place of a prefix that is invalid only because its length is; else `form`.
std::string expectedFor(std::string_view text, std::string_view form) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = netlib::IpAddress::parse(text.substr(0, slash));
  const std::string_view length = text.substr(std::min(slash + 1, text.size()));
  const bool isNumber = !length.empty() && length.find_first_not_of("0123456789") == std::string_view::npos;
  if (!address || !isNumber || length.starts_with('0')) return std::string{form};
  return "a prefix length of at most " + std::to_string(netlib::bitsOf(address->family()));
}

}  // namespace

void observeKeys(void (*observer)(const std::string& path)) { keyObserver = observer; }

Field Field::operator[](std::string_view key) const {
  Field field{value_[key], path_.empty() ? std::string{key} : path_ + "." + std::string{key}};
  if (keyObserver != nullptr) keyObserver(field.path_);
  return field;
}

Result<Field> Field::object() const {
  if (present() && !value_.isObject()) return invalid("an object");
  return *this;
}

Result<std::vector<Field>> Field::items() const {
  if (present() && !value_.isArray()) return invalid("an array");
  std::vector<Field> fields;
  for (const json::Value item : value_.items()) {
    fields.emplace_back(item, path_ + "[" + std::to_string(fields.size()) + "]");
  }
  return fields;
}

Result<std::vector<std::pair<std::string, Field>>> Field::members() const {
  if (present() && !value_.isObject()) return invalid("an object");
  std::vector<std::pair<std::string, Field>> fields;
  for (const auto& [key, value] : value_.members()) {
    fields.emplace_back(std::string{key}, Field{value, path_ + "." + std::string{key}});
  }
  return fields;
}

Result<std::optional<bool>> Field::boolean() const {
  if (present() && !value_.boolean()) return invalidUnquoted("true or false");
  return value_.boolean();
}

Result<std::optional<std::uint32_t>> Field::number(std::uint32_t min, std::uint32_t max) const {
  if (!present()) return std::nullopt;
  const std::optional<std::int64_t> number = value_.integer();
  if (!number || *number < min || *number > max) {
    return invalidUnquoted("an integer from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::optional<std::uint64_t>> Field::amount() const {
  if (!present()) return std::nullopt;
  const std::optional<std::int64_t> number = value_.integer();
  if (!number || *number < 0) return invalidUnquoted("a non-negative integer");
  return static_cast<std::uint64_t>(*number);
}

Result<std::optional<std::string>> Field::text() const {
  if (!present()) return std::nullopt;
  const std::optional<std::string_view> text = value_.string();
  if (!text) return invalid("a string");
  if (text->empty()) return std::nullopt;
  return std::string{*text};
}

Result<std::vector<std::string>> Field::words() const {
  std::vector<std::string> words;
  for (const Field& item : TRY(items())) {
    std::optional<std::string> word = TRY(item.text());
    if (!word) continue;
    if (!netlib::isOneWord(*word)) return item.invalid("a string without spaces and control characters");
    words.push_back(*std::move(word));
  }
  return words;
}

Result<std::optional<netlib::IpAddress>> Field::address() const {
  return parsed(netlib::IpAddress::parse, "an IPv4 or IPv6 address");
}

Result<std::optional<netlib::IpPrefix>> Field::prefix() const {
  const std::string_view text = value_.string().value_or("");
  return parsed(netlib::IpPrefix::parse, expectedFor(text, "an address with a prefix length, such as 10.42.0.0/24"));
}

Result<std::optional<netlib::IpPrefix>> Field::network() const {
  const std::string_view text = value_.string().value_or("");
  return parsed(parseNetwork, expectedFor(text, "an address or a subnet such as 10.42.0.0/24"));
}

Failure Field::invalid(std::string_view expected) const {
  return withKey(path_, fail(ErrorCode::InvalidConfig, "invalid " + shown() + ", expected " + std::string{expected}));
}

Failure Field::invalidUnquoted(std::string_view expected) const {
  const std::string_view text = value_.string().value_or("");
  const bool isQuoted = text == "true" || text == "false" ||
                        (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos);
  return invalid(std::string{expected} + (isQuoted ? ", without quotes" : ""));
}

Failure Field::missing() const {
  return withKey(path_, fail(ErrorCode::InvalidConfig, "\"" + path_ + "\" is missing"));
}

Failure Field::unsupported(std::string_view why) const {
  return withKey(path_, fail(ErrorCode::UnsupportedField, "unsupported " + shown() + ": " + std::string{why}));
}

std::string Field::shown() const {
  constexpr std::size_t kMaxShown = 200;  // a long array would hide the reason that follows it
  std::string value = json();
  if (value.size() > kMaxShown) value = value.substr(0, kMaxShown) + "…";
  return "\"" + path_ + "\": " + value;
}

}  // namespace pons::cni
