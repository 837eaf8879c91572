// The table of all configuration keys. By it keys are refused and unknown ones found, ponsctl explains them, and
// scripts/keys writes README's table and pons.conf(5). Which keys the decoders read is compared by tests/unit/keys.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/cni/applet.h"
#include "plugin/cni/field.h"

namespace pons::cni {

/// A set of applets. Those of a key in "ipam" are values of ipam.type as well.
using Applets = std::uint16_t;
constexpr Applets only(Applet applet) { return static_cast<Applets>(1U << static_cast<unsigned>(applet)); }

enum class Kind : std::uint8_t {
  Boolean,
  Number,
  Text,
  List,     ///< an array of numbers or strings
  Object,   ///< an object whose keys are in the table
  Objects,  ///< an array of such objects, or of arrays of them
  Shared,   ///< an object that has keys of other plugins and of the runtime as well
  Free,     ///< an object whose keys are not in the table
};

enum class Status : std::uint8_t {
  Used,
  NoEffect,  ///< known, so that configurations of the reference plugins are accepted
  Refused,   ///< UnsupportedField for other values than those listed
  OfRuntime  ///< read by libcni, not by plugins
};

struct Key {
  std::string_view path;  ///< in the plugin's object: "ipam.ranges[][].subnet"
  Applets applets;        ///< that read it
  Kind kind;
  std::string_view byDefault;     ///< as JSON or in words; empty without one
  std::string_view values;        ///< range or format, in words; empty without a limit
  std::string_view text;          ///< what it does, or what `true` does
  std::string_view whenOff = {};  ///< what `false` does; empty: what `text` says
  std::string_view more = {};     ///< further sentences for pons.conf(5)
  Status status = Status::Used;
  std::array<std::string_view, 2> accepted = {};  ///< JSON texts: of a key that is not used, the only values
  std::string_view reason = {};                   ///< why other values than those are refused; empty: they are not
  std::uint32_t max = 0;                          ///< of a number without effect
  std::string_view sameAs = {};  ///< the key under which the keys of the object are in the table; empty: under this one
  bool isCommon = false;         ///< in README's table
  std::string_view since = "0.1.0";
};

/// A part of the table under one heading of pons.conf(5).
struct KeySection {
  std::string_view title;
  std::string_view text;  ///< about all of its keys; may be empty
  std::span<const Key> keys;
};

std::span<const KeySection> keySections();

/// The key with that path, which may have array indexes or "[]"; ASCII case-insensitive, as the decoders. Null if the
/// applet has none. In "ipam", of any ipam.type.
const Key* findKey(Applet applet, std::string_view path);

/// A key of a configuration that the table does not have for this applet.
struct UnknownKey {
  std::string key;        ///< with array indexes
  std::string value;      ///< as compact JSON
  std::string similar;    ///< the path that is probably meant; empty if there is none
  std::string_view type;  ///< the plugin, or the ipam.type, that has a key of this path; empty if there is none
  bool isForeign;         ///< in a place where runtimes and other plugins have theirs: no mistake

  /// Did you mean another, or a key of another plugin? Begins with ": "; may be empty.
  std::string hint() const;
};

/// The first 100, in the order of the configuration. Null counts as absent. Not: the keys of a delegated IPAM plugin.
/// As an IPAM plugin (host-local, static) only those in "ipam": the others are the main plugin's.
std::vector<UnknownKey> unknownKeys(Applet applet, const json::Value& root);

/// UnsupportedField, with the table's reason, for a key whose value would need what pons does not have: ignoring it
/// would make a different network. InvalidConfig for a wrong type.
Result<> refuseUnsupported(const Field& root, Applet applet);

/// InvalidConfig for a whole configuration list, of which a plugin gets only its own object.
Result<> refuseList(const Field& root);

}  // namespace pons::cni
