#include "plugin/cni/decode/keys.h"

#include <algorithm>
#include <bit>

#include "netlib/base/similar.h"
#include "netlib/base/text.h"

#include "plugin/cni/decode/network_keys.h"
#include "plugin/cni/decode/plugin_keys.h"

namespace pons::cni {

namespace {

constexpr std::array kSections{
    KeySection{"The envelope", "Read or set by the runtime.", table::kEnvelopeKeys},
    KeySection{"The bridge", "", table::kBridgeKeys},
    KeySection{"Addresses", "Without ipam a container has no addresses, only a bridge port.", table::kAddressKeys},
    KeySection{"DNS",
               "The DNS settings are returned in the result, and the runtime writes them into the container; with the "
               "capability rootfs pons does. They are taken from the first of these that is set: the capability dns, "
               "dns, ipam.dns, ipam.resolvConf.",
               table::kDnsKeys},
    KeySection{"NAT, published ports, firewall, bandwidth", "", table::kNatKeys},
    KeySection{"Spoof guard and egress policy",
               "All of it is enforced on the host side of the veth pair, where root inside the container cannot bypass "
               "it, and before the container's interface is up.",
               table::kGuardKeys},
    KeySection{"Ledger and log", "", table::kSettingKeys},
    KeySection{"Settings for one container",
               "In runtimeConfig a runtime sends those capabilities that the plugin's object declares with true.",
               table::kContainerKeys},
    KeySection{"Keys of the reference plugin bridge", "", table::kBridgePluginKeys},
    KeySection{"Keys of the reference plugin portmap", "", table::kPortmapKeys},
    KeySection{"Keys of the reference plugin firewall", "", table::kFirewallKeys},
    KeySection{"Keys of the reference plugin bandwidth", "", table::kBandwidthKeys},
    KeySection{"Keys of the reference plugin tuning", "", table::kTuningKeys},
};

/// An object of a configuration, and where the table has its keys.
struct Place {
  std::string_view path;
  Applets applets;
  bool isShared = false;
};

Place placeBelow(const Place& place, const Key& key) {
  return {key.sameAs.empty() ? key.path : key.sameAs, place.applets, key.kind == Kind::Shared};
}

/// The path of a key relative to an object, or to an element of an array; empty if it is not inside of it.
std::string_view relativeTo(std::string_view object, std::string_view path) {
  if (object.empty()) return path;
  if (!path.starts_with(object)) return {};
  path.remove_prefix(object.size());
  while (path.starts_with("[]")) path.remove_prefix(2);
  return path.starts_with('.') ? path.substr(1) : std::string_view{};
}

/// The first key that satisfies the predicate; null if there is none.
const Key* findIf(auto predicate) {
  for (const KeySection& section : kSections) {
    const auto found = std::ranges::find_if(section.keys, predicate);
    if (found != section.keys.end()) return &*found;
  }
  return nullptr;
}

const Key* memberOf(const Place& place, std::string_view name) {
  if (name.empty() || name.find('.') != std::string_view::npos) return nullptr;
  return findIf([&](const Key& key) {
    return (key.applets & place.applets) != 0 && netlib::equalIgnoringCase(relativeTo(place.path, key.path), name);
  });
}

/// The name of a misspelled sibling.
std::string_view similarIn(const Place& place, std::string_view name) {
  std::vector<std::string_view> names;
  findIf([&](const Key& key) {
    const std::string_view relative = relativeTo(place.path, key.path);
    const bool isMember = relative.find('.') == std::string_view::npos && !relative.empty();
    if (isMember && (key.applets & place.applets) != 0) names.push_back(relative);
    return false;
  });
  return netlib::similarTo(name, names);
}

/// The path of a key that was written into the wrong object.
std::string_view elsewhere(const Place& place, std::string_view name) {
  const Key* key = findIf([&](const Key& other) {
    const bool isOfFile = !other.path.starts_with("runtimeConfig") && !other.path.starts_with("args");
    const bool isUsed = other.status == Status::Used && (other.applets & place.applets) != 0;
    return isOfFile && isUsed && netlib::equalIgnoringCase(other.path.substr(other.path.rfind('.') + 1), name);
  });
  return key == nullptr ? std::string_view{} : key->path;
}

std::string_view firstTypeOf(Applets applets) { return nameOf(static_cast<Applet>(std::countr_zero(applets))); }

/// A hostile configuration must not fill the log.
constexpr std::size_t kMaxUnknown = 100;
constexpr std::size_t kMaxName = 64;

/// Comments, names with a namespace ("cni.dev/attachments", "io.kubernetes.cri.pod-annotations"), keys of a list in a
/// file with one plugin, and what nerdctl and Multus add.
bool isOfOthers(std::string_view name) {
  constexpr std::array<std::string_view, 8> kOfOthers{
      "cniVersions", "disableCheck",  "disableGC", "loadOnlyInlinedPlugins",
      "nerdctlID",   "nerdctlLabels", "deviceID",  "pciBusID"};
  const bool isMarked =
      name.empty() || name.size() > kMaxName || std::string_view{"_$#"}.find(name.front()) != std::string_view::npos;
  return isMarked || name.starts_with("x-") || name.find_first_of("./") != std::string_view::npos ||
         std::ranges::find(kOfOthers, name) != kOfOthers.end();
}

/// The values of Applet that are values of ipam.type; none for the type of a delegated plugin.
Applets typeOf(const json::Value& ipam) {
  const std::string_view type = ipam["type"].string().value_or("");
  if (type.empty()) return only(Applet::Pons);
  for (const Applet applet : {Applet::Pons, Applet::HostLocal, Applet::Static}) {
    if (type == nameOf(applet)) return only(applet);
  }
  return 0;
}

UnknownKey unknownIn(const Place& place, const std::string& path, std::string_view name, const json::Value& value) {
  const std::string prefix = path.empty() ? "" : path + ".";
  UnknownKey unknown{
      .key = prefix + std::string{name}, .value = value.text(), .similar = {}, .type = {}, .isForeign = true};
  if (isOfOthers(name)) return unknown;
  if (const std::string_view similar = similarIn(place, name); !similar.empty()) {
    unknown.similar = prefix + std::string{similar};
  } else if (const Key* other = memberOf({place.path, static_cast<Applets>(~0U)}, name)) {
    unknown.type = firstTypeOf(other->applets);
  } else if (!place.isShared) {
    unknown.similar = elsewhere(place, name);
  }
  unknown.isForeign = place.isShared && unknown.similar.empty();
  return unknown;
}

void findUnknown(std::vector<UnknownKey>& found, const json::Value& value, const Place& place,
                 const std::string& path) {
  std::size_t index = 0;
  for (const json::Value& item : value.items()) {
    findUnknown(found, item, place, path + "[" + std::to_string(index++) + "]");
  }
  for (const auto& [name, member] : value.members()) {
    if (!member.present() || found.size() >= kMaxUnknown) continue;
    const Key* key = memberOf(place, name);
    // libcni compares these with regard to case.
    if (key != nullptr && path == "capabilities" && !key->path.ends_with("." + std::string{name})) key = nullptr;
    if (key == nullptr) {
      found.push_back(unknownIn(place, path, name, member));
      continue;
    }
    if (key->kind != Kind::Object && key->kind != Kind::Objects && key->kind != Kind::Shared) continue;
    Place below = placeBelow(place, *key);
    if (key->path == "ipam") below.applets = typeOf(member);
    if (below.applets == 0) continue;
    findUnknown(found, member, below, path.empty() ? std::string{name} : path + "." + std::string{name});
  }
}

/// Of a key that is not used.
Result<> checkType(const Key& key, const Field& field) {
  if (key.kind == Kind::Boolean) {
    TRY(field.boolean());
  } else if (key.kind == Kind::Number) {
    TRY(field.number(0, key.max));
  } else if (key.kind == Kind::Text) {
    TRY(field.text());
  } else {
    TRY(field.items());
  }
  return {};
}

}  // namespace

std::span<const KeySection> keySections() { return kSections; }

const Key* findKey(Applet applet, std::string_view path) {
  Place place{"", only(applet)};
  const Key* key = nullptr;
  for (const std::string_view part : netlib::split(path, '.')) {
    if (key != nullptr && key->kind == Kind::Free) return key;
    key = memberOf(place, part.substr(0, part.find('[')));
    if (key == nullptr) return nullptr;
    place = placeBelow(place, *key);
    if (key->path == "ipam") place.applets = table::kIpam;
  }
  return key;
}

std::string UnknownKey::hint() const {
  if (!similar.empty()) return ": did you mean \"" + similar + "\"?";
  return type.empty() ? "" : ": it is a key of type \"" + std::string{type} + "\"";
}

std::vector<UnknownKey> unknownKeys(Applet applet, const json::Value& root) {
  std::vector<UnknownKey> found;
  if (applet == Applet::HostLocal || applet == Applet::Static) {
    findUnknown(found, root["ipam"], {"ipam", only(applet)}, "ipam");
  } else {
    findUnknown(found, root, {"", only(applet)}, "");
  }
  return found;
}

Result<> refuseUnsupported(const Field& root, Applet applet) {
  for (const KeySection& section : kSections) {
    for (const Key& key : section.keys) {
      const bool isUsed = key.status == Status::Used || key.status == Status::OfRuntime;
      if (isUsed || (key.applets & only(applet)) == 0) continue;
      const Field field = root[key.path];
      TRY(checkType(key, field));
      const bool isSet = field.present() && !field.is("");
      const bool isAccepted = key.reason.empty() || std::ranges::find(key.accepted, field.json()) != key.accepted.end();
      if (isSet && !isAccepted) return field.unsupported(key.reason);
    }
  }
  return {};
}

Result<> refuseList(const Field& root) {
  const Field plugins = root["plugins"];
  if (!plugins.isArray()) return {};
  return withKey(plugins.path(),
                 fail(ErrorCode::InvalidConfig,
                      "\"plugins\": this is a whole configuration list; a plugin gets the object of one plugin, with "
                      "the list's name and cniVersion in it, from the runtime or from cnitool"));
}

}  // namespace pons::cni
