// Typed access to a configuration: each accessor returns the value, "absent", or an error with key, value and what was
// expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/values/ip_prefix.h"

#include "plugin/cni/error.h"
#include "plugin/json/json.h"

namespace pons::cni {

/// For tests: `observer` is called with the path of each key that a decoder looks up; null: none is.
void observeKeys(void (*observer)(const std::string& path));

/// The value, or on error the default, with the error appended to `ignored`.
template <class T>
T orDefault(Result<T> decoded, T byDefault, std::vector<Error>& ignored) {
  if (decoded) return std::move(decoded).value();
  ignored.push_back(decoded.error());
  return byDefault;
}

/// A value of a document, or its absence, and its path from the root, such as ipam.ranges[0][1].subnet.
/// Must not outlive the document. A wrong type or value is always InvalidConfig.
class Field {
 public:
  Field(json::Value value, std::string path) : value_(value), path_(std::move(path)) {}

  /// A member of an object; absent if this field is absent or not an object: see object().
  Field operator[](std::string_view key) const;

  bool present() const { return value_.present(); }
  bool has(std::string_view key) const { return value_.has(key); }
  bool isArray() const { return value_.isArray(); }
  bool is(std::string_view text) const { return value_.string() == text; }
  const std::string& path() const { return path_; }
  /// The value as compact JSON.
  std::string json() const { return value_.text(); }

  /// This field; InvalidConfig if it is present and not an object.
  Result<Field> object() const;
  /// The elements of an array; empty if absent.
  Result<std::vector<Field>> items() const;
  /// Keys and values of an object that is used as a map; empty if absent.
  Result<std::vector<std::pair<std::string, Field>>> members() const;

  Result<std::optional<bool>> boolean() const;
  Result<std::optional<std::uint32_t>> number(std::uint32_t min, std::uint32_t max) const;
  /// From 0 to 2^63 - 1.
  Result<std::optional<std::uint64_t>> amount() const;
  /// An empty string counts as absent: encoders in Go write it for values that are not set.
  Result<std::optional<std::string>> text() const;
  /// An array of strings without whitespace and control characters (see isOneWord); empty elements are skipped.
  Result<std::vector<std::string>> words() const;

  Result<std::optional<netlib::IpAddress>> address() const;
  Result<std::optional<netlib::IpPrefix>> prefix() const;
  /// A prefix, host bits cleared, or a single address (/32, /128).
  Result<std::optional<netlib::IpPrefix>> network() const;
  /// A string that `parse` accepts.
  template <class T>
  Result<std::optional<T>> parsed(std::optional<T> (*parse)(std::string_view), std::string_view expected) const {
    const std::optional<std::string> content = TRY(text());
    if (!content) return std::nullopt;
    const std::optional<T> value = parse(*content);
    if (!value) return invalid(expected);
    return value;
  }

  /// InvalidConfig: invalid "key": value, expected …
  Failure invalid(std::string_view expected) const;
  /// The same for a number or boolean; for one in quotes with advice.
  Failure invalidUnquoted(std::string_view expected) const;
  /// InvalidConfig: the key is required.
  Failure missing() const;
  /// UnsupportedField: unsupported "key": value: why.
  Failure unsupported(std::string_view why) const;

 private:
  /// `"key": value`, for messages.
  std::string shown() const;

  json::Value value_;
  std::string path_;
};

}  // namespace pons::cni
