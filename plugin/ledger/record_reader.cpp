#include <algorithm>
#include <limits>

#include "netlib/base/escape.h"

#include "plugin/json/json.h"
#include "plugin/ledger/record.h"
#include "plugin/model/attachment_fields.h"

namespace pons {

using netlib::fail;
using netlib::Result;

namespace {

template <class Enum>
constexpr auto kParse = nullptr;
template <>
constexpr auto kParse<ChainedPlugin> = parseChainedPlugin;
template <>
constexpr auto kParse<Protocol> = parseProtocol;
template <>
constexpr auto kParse<IngressPolicy> = parseIngressPolicy;
template <>
constexpr auto kParse<OnDeny> = parseOnDeny;
template <>
constexpr auto kParse<SpoofGuard> = parseSpoofGuard;

// What the reader overwrites field by field: addresses have no default.

template <class Part>
Part blank() {
  return {};
}
netlib::IpPrefix anyPrefix() { return netlib::IpPrefix::host(netlib::IpAddress::unspecified(netlib::Family::Ipv4)); }
template <>
Lease blank() {
  return {.address = anyPrefix(), .gateway = {}};
}
template <>
Route blank() {
  return {.destination = anyPrefix(), .gateway = {}};
}
template <>
PortForward blank() {
  const netlib::IpAddress any = anyPrefix().address();
  return {.protocol = {}, .hostAddress = any, .hostPort = {}, .target = any, .targetPort = {}};
}
template <>
Attachment blank() {
  const netlib::IfName any = BridgeSettings{}.name;
  return {{}, {*NetworkName::parse("x"), *ContainerId::parse("x"), any}, any};
}

// The name of a member that contradicts the others or exceeds its range; empty if there is none.

template <class Part>
std::string_view contradictionIn(const Part& /*part*/) {
  return {};
}

std::string_view contradictionIn(const Lease& lease) {
  return lease.gateway && lease.gateway->family() != lease.address.family() ? "gateway" : "";
}

std::string_view contradictionIn(const SourceNat& nat) {
  if (nat.subnets.empty() || std::ranges::any_of(nat.subnets, &netlib::IpPrefix::hasHostBits)) return "subnets";
  const auto isForeign = [&nat](const netlib::IpPrefix& prefix) { return prefix.family() != nat.family(); };
  if (std::ranges::any_of(nat.subnets, isForeign)) return "subnets";
  return std::ranges::any_of(nat.destinations, isForeign) ? "destinations" : "";
}

std::string_view contradictionIn(const PortForward& forward) {
  return forward.hostAddress.family() != forward.target.family() ? "target" : "";
}

std::string_view contradictionIn(const RateLimit& limit) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (limit.rate < kMinRate || limit.rate > kMax) return "rate";
  return limit.burst > kMax ? "burst" : "";
}

bool isVlan(netlib::VlanId id) { return id >= 1 && id <= netlib::kMaxVlanId; }

std::string_view contradictionIn(const netlib::VlanRange& range) {
  if (!isVlan(range.first)) return "first";
  return isVlan(range.last) ? "" : "last";
}

std::string_view contradictionIn(const PortVlans& vlans) {
  return vlans.untagged && !isVlan(*vlans.untagged) ? "untagged" : "";
}

/// Reads the members of one object, along attachment_fields.h, up to the first that is missing or invalid.
class FieldReader {
 public:
  /// `damaged` is set to the name of that member.
  FieldReader(const json::Value& object, std::string_view& damaged) : object_(object), damaged_(damaged) {}

  template <class T>
  void operator()(std::string_view name, T& field) {
    if (damaged_.empty()) read(object_[name], name, field);
  }
  template <class T>
  void operator()(std::string_view name, T& field, const Otherwise<T>& otherwise) {
    const json::Value value = object_[name];
    if (!value.present()) {
      field = otherwise;
    } else if (damaged_.empty()) {
      read(value, name, field);
    }
  }
  void nested(std::string_view name, auto visitMembers) {
    FieldReader inside{object_[name], damaged_};
    visitMembers(inside);
  }

 private:
  template <class T>
  void read(const json::Value& value, std::string_view name, T& field) {
    auto content = contentOf<T>(value);
    if (content) {
      field = *std::move(content);
    } else if (damaged_.empty()) {  // else a member of the member is named
      damaged_ = name;
    }
  }

  // Elements of lists have no names: errors name the list.

  template <class T>
  std::optional<T> contentOf(const json::Value& value) {
    if constexpr (std::same_as<T, bool>) {
      return value.boolean();
    } else if constexpr (std::integral<T>) {
      return numberIn<T>(value);
    } else if constexpr (std::same_as<T, std::string>) {
      const auto text = value.string();
      return text ? netlib::unescaped(*text) : std::nullopt;
    } else if constexpr (std::same_as<T, netlib::IfName>) {
      const auto bytes = contentOf<std::string>(value);
      return bytes ? netlib::IfName::parse(*bytes) : std::nullopt;
    } else if constexpr (requires { T::parse(std::string_view{}); }) {
      const auto text = value.string();
      return text ? T::parse(*text) : std::nullopt;
    } else if constexpr (std::is_enum_v<T>) {
      const auto text = value.string();
      return text ? kParse<T>(*text) : std::nullopt;
    } else {
      return partIn(value, std::type_identity<T>{});
    }
  }

  template <class Number>
  static std::optional<Number> numberIn(const json::Value& value) {
    const auto number = value.integer();
    if (!number) return std::nullopt;
    // 64 bits are written as a signed number. Those of 16 are ports, never 0.
    if constexpr (sizeof(Number) < sizeof(*number)) {
      constexpr std::int64_t kMin = std::same_as<Number, Port> ? 1 : 0;
      if (*number < kMin || *number > std::int64_t{std::numeric_limits<Number>::max()}) return std::nullopt;
    }
    return static_cast<Number>(*number);
  }

  template <class T>
  std::optional<std::optional<T>> partIn(const json::Value& value, std::type_identity<std::optional<T>> /*type*/) {
    auto content = contentOf<T>(value);
    if (!content) return std::nullopt;  // not the value "none"
    return std::optional<std::optional<T>>{std::in_place, std::move(content)};
  }

  template <class T>
  std::optional<std::vector<T>> partIn(const json::Value& value, std::type_identity<std::vector<T>> /*type*/) {
    if (!value.isArray()) return std::nullopt;
    std::vector<T> items;
    for (const json::Value& element : value.items()) {
      auto item = contentOf<T>(element);
      if (!item) return std::nullopt;
      items.push_back(*std::move(item));
    }
    return items;
  }

  using Strings = std::map<std::string, std::string>;
  std::optional<Strings> partIn(const json::Value& value, std::type_identity<Strings> /*type*/) {
    if (!value.isObject()) return std::nullopt;
    Strings strings;
    for (const auto& [name, content] : value.members()) {
      auto key = netlib::unescaped(name);
      auto text = contentOf<std::string>(content);
      if (!key || !text) return std::nullopt;
      strings.emplace(*std::move(key), *std::move(text));
    }
    return strings;
  }

  template <class Part>
  std::optional<Part> partIn(const json::Value& value, std::type_identity<Part> /*type*/) {
    if (value.present() && !value.isObject()) return std::nullopt;
    Part part = blank<Part>();
    FieldReader inside{value, damaged_};
    visitFields(inside, part);
    if (damaged_.empty()) damaged_ = contradictionIn(part);
    return damaged_.empty() ? std::optional{std::move(part)} : std::nullopt;
  }

  json::Value object_;
  std::string_view& damaged_;
};

/// The place is that of a member of the record itself: inside of these, names are not unique.
Result<> checkMember(bool valid, std::string_view text, std::string_view name) {
  if (valid) return {};
  const auto place = json::placeOf(text, name);
  const std::string where =
      place ? " at line " + std::to_string(place->line) + ", column " + std::to_string(place->column) : "";
  return fail(netlib::Cause::Damaged, "damaged record: \"" + std::string{name} + "\" is missing or invalid" + where);
}

std::optional<RecordState> parseState(std::string_view text) {
  for (const RecordState state : {RecordState::Claimed, RecordState::Committed, RecordState::Deleting}) {
    if (text == nameOf(state)) return state;
  }
  return std::nullopt;
}

}  // namespace

Result<RecordText> decodeRecord(std::string_view text) {
  const json::Document document = TRY(json::Document::parse(text));
  const auto format = document["format"].integer();
  if (format && *format > kRecordFormat) {
    return fail(netlib::Cause::Unsupported, "written by a newer pons (format " + std::to_string(*format) + ")");
  }
  TRY(checkMember(format == kRecordFormat, text, "format"));
  std::string_view damaged;
  FieldReader visit{document.root(), damaged};
  Attachment attachment = blank<Attachment>();
  visitFields(visit, attachment);
  TRY(checkMember(damaged.empty(), text, damaged));
  const auto state = parseState(document["state"].string().value_or(""));
  TRY(checkMember(state.has_value(), text, "state"));
  return RecordText{std::move(attachment), *state};
}

}  // namespace pons
