// How the rows of the key table are written. Included by the table only.
#pragma once

#include <array>

#include "plugin/cni/decode/keys.h"

namespace pons::cni::table {

using enum Kind;

inline constexpr Applets kPons = only(Applet::Pons);
inline constexpr Applets kHostLocal = only(Applet::HostLocal);
inline constexpr Applets kStatic = only(Applet::Static);
inline constexpr Applets kPortmap = only(Applet::Portmap);
inline constexpr Applets kFirewall = only(Applet::Firewall);
inline constexpr Applets kBandwidth = only(Applet::Bandwidth);
inline constexpr Applets kTuning = only(Applet::Tuning);
/// Main plugins, which have all keys of the bridge and of "ipam".
inline constexpr Applets kMain = kPons | only(Applet::Bridge);
inline constexpr Applets kPools = kMain | kHostLocal;
inline constexpr Applets kIpam = kPools | kStatic;
inline constexpr Applets kAttach = kMain | kPortmap | kFirewall | kBandwidth | kTuning | only(Applet::Loopback);
inline constexpr Applets kAll = kAttach | kIpam;

inline constexpr std::string_view kNothing = "no effect";

constexpr Key common(Key key) {
  key.isCommon = true;
  return key;
}

constexpr Key ofRuntime(Key key) {
  key.status = Status::OfRuntime;
  return key;
}

/// An object with the keys of another one.
constexpr Key sameAs(std::string_view path, Key key) {
  key.sameAs = path;
  return key;
}

/// `max`: of a number.
constexpr Key noEffect(Key key, std::uint32_t max = 0) {
  key.status = Status::NoEffect;
  key.max = max;
  return key;
}

/// Other values than `accepted` are refused.
constexpr Key noEffect(Key key, std::array<std::string_view, 2> accepted, std::string_view reason) {
  key = noEffect(key);
  key.accepted = accepted;
  key.reason = reason;
  return key;
}

constexpr Key refused(Key key, std::string_view accepted, std::string_view reason, std::uint32_t max = 0) {
  key = noEffect(key, {accepted}, reason);
  key.status = Status::Refused;
  key.max = max;
  return key;
}

}  // namespace pons::cni::table
