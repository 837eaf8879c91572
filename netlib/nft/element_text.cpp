// Elements and types of sets as nft prints them.
#include <algorithm>
#include <array>
#include <ranges>

#include <net/if.h>
#include <netinet/in.h>

#include "netlib/base/hash.h"
#include "netlib/nft/content.h"
#include "netlib/nft/objects.h"
#include "netlib/values/ip_prefix.h"
#include "netlib/values/mac_address.h"

namespace netlib::nft {

namespace {

using Bytes = std::span<const std::uint8_t>;

struct Type {
  std::uint32_t number;
  std::string_view name;
  std::size_t length;
};

constexpr std::size_t kAnyLength = 0;
constexpr std::array kTypes{Type{kInteger, "integer", kAnyLength},
                            Type{kIpv4Addr, "ipv4_addr", 4},
                            Type{kIpv6Addr, "ipv6_addr", 16},
                            Type{kEtherAddr, "ether_addr", 6},
                            Type{kInetProto, "inet_proto", 1},
                            Type{kInetService, "inet_service", 2},
                            Type{kMark, "mark", 4},
                            Type{kIfname, "ifname", IFNAMSIZ}};

/// The fields of a concatenation, 6 bits each.
std::vector<Type> fieldsOf(std::uint32_t type) {
  constexpr unsigned kBits = 6;
  std::vector<Type> fields;
  for (; type != 0; type >>= kBits) {
    const std::uint32_t number = type & ((1U << kBits) - 1);
    const auto* known = std::ranges::find(kTypes, number, &Type::number);
    fields.insert(fields.begin(), known == kTypes.end() ? Type{number, "type", kAnyLength} : *known);
  }
  return fields;
}

std::string hex(Bytes bytes) {
  std::string text = "0x";
  for (const std::uint8_t byte : bytes) text += hexDigits(byte, 2);
  return text;
}

std::string protocolText(std::uint8_t protocol) {
  if (protocol == IPPROTO_TCP) return "tcp";
  if (protocol == IPPROTO_UDP) return "udp";
  return protocol == IPPROTO_SCTP ? "sctp" : std::to_string(protocol);
}

std::string fieldText(const Type& type, Bytes bytes) {
  if (type.length != bytes.size()) return hex(bytes);
  switch (type.number) {
    case kIpv4Addr:
    case kIpv6Addr:
      return IpAddress::fromBytes(bytes)->toString();
    case kEtherAddr: {
      MacAddress::Bytes mac{};
      std::ranges::copy(bytes, mac.begin());
      return MacAddress{mac}.toString();
    }
    case kIfname:
      return "\"" + std::string(bytes.begin(), std::ranges::find(bytes, 0)) + "\"";
    case kInetProto:
      return protocolText(bytes[0]);
    case kInetService:
      return std::to_string(bytes[0] << 8 | bytes[1]);
    case kMark: {  // in host byte order
      std::uint32_t mark = 0;
      std::ranges::copy(bytes, reinterpret_cast<std::uint8_t*>(&mark));
      return "0x" + hexDigits(mark, 2 * sizeof mark);
    }
    default:
      return hex(bytes);
  }
}

std::string valueText(std::uint32_t type, Bytes bytes) {
  std::string text;
  for (const Type& field : fieldsOf(type)) {
    const std::size_t length = std::min(field.length == kAnyLength ? bytes.size() : field.length, bytes.size());
    text += (text.empty() ? "" : " . ") + fieldText(field, bytes.first(length));
    bytes = bytes.subspan(std::min((length + 3) / 4 * 4, bytes.size()));  // each is padded to a register
  }
  return text;
}

/// The number before that one, which has the most significant byte first.
std::vector<std::uint8_t> before(std::vector<std::uint8_t> number) {
  for (std::uint8_t& byte : number | std::views::reverse) {
    if (byte-- != 0) break;
  }
  return number;
}

std::optional<IpPrefix> prefixFromTo(Bytes first, Bytes last) {
  const auto address = IpAddress::fromBytes(first);
  auto prefix = address ? IpPrefix::of(*address, 0) : std::nullopt;
  while (prefix && !(prefix->first() == *address && std::ranges::equal(prefix->last().bytes(), last))) {
    prefix = IpPrefix::of(*address, prefix->length() + 1);
  }
  return prefix;
}

}  // namespace

std::string typeText(std::uint32_t type, std::uint32_t length) {
  std::string text;
  for (const Type& field : fieldsOf(type)) {
    text += (text.empty() ? "" : " . ") + std::string{field.name};
    if (field.name == "type") text += " " + std::to_string(field.number);
  }
  return text + " (" + std::to_string(length) + " bytes)";
}

std::string keyText(const Element& element, const SetContent& set) { return valueText(set.keyType, element.key); }

std::string intervalText(const Element& start, const Element* end, const SetContent& set) {
  const auto last = end == nullptr ? std::vector<std::uint8_t>(start.key.size(), UINT8_MAX) : before(end->key);
  const bool isAddress = set.keyType == kIpv4Addr || set.keyType == kIpv6Addr;
  const auto prefix = isAddress ? prefixFromTo(start.key, last) : std::nullopt;
  return prefix ? prefix->toString() : valueText(set.keyType, start.key) + "-" + valueText(set.keyType, last);
}

std::string dataText(const Element& element, const SetContent& set) {
  if (!element.jumpTo.empty()) return "jump " + element.jumpTo;
  if (!element.object.empty()) return element.object;
  return element.data.empty() ? std::string{} : valueText(set.dataType, element.data);
}

}  // namespace netlib::nft
