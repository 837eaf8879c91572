// Typed reading of a configuration: every answer is the value, "absent", or an error that names key, value and what was
// expected.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/values/ip_prefix.h"

#include "plugin/cni/error.h"
#include "plugin/json/json.h"

namespace pons::cni {

/// While it lives, the keys that decoders ask for are taken down: what is in a configuration and is not among them has
/// no effect. One at a time.
class KeysAsked {
 public:
  KeysAsked();
  ~KeysAsked();
  KeysAsked(const KeysAsked&) = delete;
  KeysAsked& operator=(const KeysAsked&) = delete;

  /// A path as Field::path() has it, in any case.
  bool has(std::string_view path) const;
  /// In lower case, the indexes of elements left out.
  const std::set<std::string>& all() const { return paths_; }

 private:
  friend class Field;
  void note(std::string_view path);

  std::set<std::string> paths_;
};

/// The value, or the default and a message in `ignored` where it cannot be read.
template <class T>
T orDefault(Result<T> decoded, T byDefault, std::vector<std::string>& ignored) {
  if (decoded) return std::move(decoded).value();
  ignored.push_back(decoded.error().message);
  return byDefault;
}

/// One place in a document: the value, if any, and its name from the top, such as ipam.ranges[0][1].subnet.
/// Valid as long as the document. A wrong type or value is always InvalidConfig.
class Field {
 public:
  Field(json::Value value, std::string path) : value_(value), path_(std::move(path)) {}

  /// A key of an object; absent where this is absent itself. See object().
  Field operator[](std::string_view key) const;

  bool present() const { return value_.present(); }
  bool has(std::string_view key) const { return value_.has(key); }
  bool isArray() const { return value_.isArray(); }
  bool is(std::string_view text) const { return value_.string() == text; }
  const std::string& path() const { return path_; }

  /// This field, once it is known to be an object or absent.
  Result<Field> object() const;
  /// The elements of a list; none where it is absent.
  Result<std::vector<Field>> items() const;
  /// The keys of an object that is used as a map, with what they stand for; none where it is absent.
  Result<std::vector<std::pair<std::string, Field>>> members() const;

  Result<std::optional<bool>> boolean() const;
  Result<std::optional<std::uint32_t>> number(std::uint32_t min, std::uint32_t max) const;
  /// Of bits or bytes, say: from 0 to 2^63 - 1.
  Result<std::optional<std::uint64_t>> amount() const;
  /// An empty text reads as absent, as Go's encoders write it for what is not set.
  Result<std::optional<std::string>> text() const;
  /// A list of single words (see isOneWord); empty elements are left out.
  Result<std::vector<std::string>> words() const;

  Result<std::optional<netlib::IpAddress>> address() const;
  Result<std::optional<netlib::IpPrefix>> prefix() const;
  /// A prefix or a single address, without host bits.
  Result<std::optional<netlib::IpPrefix>> network() const;
  /// A text that `parse` understands.
  template <class T>
  Result<std::optional<T>> parsed(std::optional<T> (*parse)(std::string_view), std::string_view expected) const {
    const std::optional<std::string> content = TRY(text());
    if (!content) return std::nullopt;
    const std::optional<T> value = parse(*content);
    if (!value) return invalid(expected);
    return value;
  }

  /// InvalidConfig: the value is not what was expected.
  Failure invalid(std::string_view expected) const;
  /// InvalidConfig: the key has to be there.
  Failure missing() const;
  /// UnsupportedField, with the reason.
  Failure unsupported(std::string_view why) const;

 private:
  /// `"key": value`, for messages.
  std::string shown() const;

  json::Value value_;
  std::string path_;
};

}  // namespace pons::cni
