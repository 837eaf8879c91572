#include <algorithm>
#include <array>
#include <limits>

#include "netlib/base/escape.h"

#include "plugin/json/json.h"
#include "plugin/ledger/record.h"

namespace pons {

using netlib::fail;
using netlib::Family;
using netlib::IfName;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::MacAddress;
using netlib::Result;

namespace {

// Reading: each reader turns one member into its type, or says which member is not what it should be. No TRY stands
// beside an owning member in one initializer: g++ does not destroy what was built before such a return.

netlib::Failure<netlib::Error> damaged(std::string_view member) {
  return fail(EBADMSG, "damaged record: \"" + std::string{member} + "\" is missing or invalid");
}

template <class T>
Result<T> required(std::optional<T> content, std::string_view member) {
  if (!content) return damaged(member);
  return *std::move(content);
}

/// For the types with a strict parse().
template <class T>
Result<T> parsed(const json::Value& object, std::string_view member) {
  const auto text = object[member].string();
  return required(text ? T::parse(*text) : std::nullopt, member);
}

template <class T>
Result<std::optional<T>> parsedIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return std::optional<T>{};
  return std::optional<T>{TRY(parsed<T>(object, member))};
}

Result<std::string> bytes(const json::Value& object, std::string_view member) {
  const auto text = object[member].string();
  return required(text ? netlib::unescaped(*text) : std::nullopt, member);
}

Result<IfName> interface(const json::Value& object, std::string_view member) {
  return required(IfName::parse(TRY(bytes(object, member))), member);
}

Result<bool> flag(const json::Value& object, std::string_view member) {
  return required(object[member].boolean(), member);
}

// What was not there yet in records of earlier versions of pons has its default.

Result<std::optional<bool>> flagIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return std::optional<bool>{};
  return std::optional<bool>{TRY(flag(object, member))};
}

template <class T>
Result<T> namedIfPresent(const json::Value& object, std::string_view member,
                         std::optional<T> (*parse)(std::string_view), T otherwise) {
  if (!object[member].present()) return otherwise;
  const auto text = object[member].string();
  return required(text ? parse(*text) : std::nullopt, member);
}

Result<std::optional<std::string>> bytesIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return std::optional<std::string>{};
  return std::optional{TRY(bytes(object, member))};
}

template <class Number>
Result<Number> number(const json::Value& object, std::string_view member, Number minimum = 0) {
  const auto content = object[member].integer();
  if (!content || *content < std::int64_t{minimum} || *content > std::int64_t{std::numeric_limits<Number>::max()}) {
    return damaged(member);
  }
  return static_cast<Number>(*content);
}

template <class Number>
Result<std::optional<Number>> numberIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return std::optional<Number>{};
  return std::optional<Number>{TRY(number<Number>(object, member))};
}

Result<Port> port(const json::Value& object, std::string_view member) { return number<Port>(object, member, 1); }

template <class Item>
Result<std::vector<Item>> list(const json::Value& object, std::string_view member,
                               Result<Item> (*read)(const json::Value&)) {
  if (!object[member].isArray()) return damaged(member);
  std::vector<Item> items;
  for (const json::Value& element : object[member].items()) items.push_back(TRY(read(element)));
  return items;
}

Result<std::vector<IpPrefix>> prefixes(const json::Value& object, std::string_view member) {
  return list<IpPrefix>(object, member, [](const json::Value& element) {
    const auto text = element.string();
    return required(text ? IpPrefix::parse(*text) : std::nullopt, "prefix");
  });
}

Result<std::vector<IfName>> interfacesIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return std::vector<IfName>{};
  return list<IfName>(object, member, [](const json::Value& element) {
    const auto text = netlib::unescaped(element.string().value_or(""));
    return required(text ? IfName::parse(*text) : std::nullopt, "hostLinks");
  });
}

Result<Lease> readLease(const json::Value& object) {
  Lease lease{TRY(parsed<IpPrefix>(object, "address")), TRY(parsedIfPresent<IpAddress>(object, "gateway"))};
  if (lease.gateway && lease.gateway->family() != lease.address.family()) return damaged("gateway");
  return lease;
}

Result<Route> readRoute(const json::Value& object) {
  return Route{.destination = TRY(parsed<IpPrefix>(object, "destination")),
               .gateway = TRY(parsedIfPresent<IpAddress>(object, "gateway")),
               .mtu = TRY(number<std::uint32_t>(object, "mtu")),
               .advmss = TRY(number<std::uint32_t>(object, "advmss")),
               .priority = TRY(number<std::uint32_t>(object, "priority")),
               .table = TRY(numberIfPresent<std::uint32_t>(object, "table")),
               .scope = TRY(numberIfPresent<std::uint8_t>(object, "scope"))};
}

Result<SourceNat> readSourceNat(const json::Value& object) {
  std::vector<IpPrefix> subnets = TRY(prefixes(object, "subnets"));
  std::vector<IpPrefix> destinations = TRY(prefixes(object, "destinations"));
  if (subnets.empty()) return damaged("subnets");
  const Family family = subnets.front().family();
  const auto isForeign = [family](const IpPrefix& prefix) { return prefix.family() != family; };
  if (std::ranges::any_of(subnets, isForeign) || std::ranges::any_of(subnets, &IpPrefix::hasHostBits)) {
    return damaged("subnets");
  }
  if (std::ranges::any_of(destinations, isForeign)) return damaged("destinations");
  const bool masquerade = TRY(flag(object, "masquerade"));
  return SourceNat{family, std::move(subnets), masquerade, std::move(destinations)};
}

Result<PortForward> readForward(const json::Value& object) {
  const auto protocol = object["protocol"].string();
  PortForward forward{.protocol = TRY(required(protocol ? parseProtocol(*protocol) : std::nullopt, "protocol")),
                      .hostAddress = TRY(parsed<IpAddress>(object, "hostAddress")),
                      .hostPort = TRY(port(object, "hostPort")),
                      .target = TRY(parsed<IpAddress>(object, "target")),
                      .targetPort = TRY(port(object, "targetPort"))};
  if (forward.hostAddress.family() != forward.target.family()) return damaged("target");
  return forward;
}

Result<std::optional<Tuning>> readTuning(const json::Value& object) {
  if (!object.present()) return std::optional<Tuning>{};
  Tuning tuning;
  for (const auto& [sysctl, content] : object["sysctls"].members()) {
    const auto text = content.string();
    std::string name = TRY(required(netlib::unescaped(sysctl), "sysctls"));
    std::string value = TRY(required(text ? netlib::unescaped(*text) : std::nullopt, "sysctls"));
    tuning.sysctls.emplace(std::move(name), std::move(value));
  }
  tuning.mac = TRY(parsedIfPresent<MacAddress>(object, "mac"));
  tuning.mtu = TRY(numberIfPresent<std::uint32_t>(object, "mtu"));
  tuning.promiscuous = TRY(flagIfPresent(object, "promiscuous"));
  tuning.allMulticast = TRY(flagIfPresent(object, "allMulticast"));
  tuning.transmitQueueLength = TRY(numberIfPresent<std::uint32_t>(object, "transmitQueueLength"));
  return std::optional{std::move(tuning)};
}

Result<std::optional<RateLimit>> readLimit(const json::Value& limit) {
  if (!limit.present()) return std::optional<RateLimit>{};
  const auto rate = TRY(number<std::int64_t>(limit, "rate", kMinRate));
  const auto burst = TRY(number<std::int64_t>(limit, "burst"));
  return std::optional{RateLimit{.rate = static_cast<std::uint64_t>(rate), .burst = static_cast<std::uint64_t>(burst)}};
}

/// Absent in records of a pons that knew no limits.
Result<std::optional<Bandwidth>> readBandwidth(const json::Value& limits) {
  if (!limits.present()) return std::optional<Bandwidth>{};
  return std::optional{
      Bandwidth{.ingress = TRY(readLimit(limits["ingress"])), .egress = TRY(readLimit(limits["egress"]))}};
}

Result<Port> readPort(const json::Value& element) {
  const auto number = element.integer();
  const bool isPort = number && *number >= 1 && *number <= std::numeric_limits<Port>::max();
  return required(isPort ? std::optional{static_cast<Port>(*number)} : std::nullopt, "port");
}

Result<IpAddress> readServer(const json::Value& element) {
  const auto text = element.string();
  return required(text ? IpAddress::parse(*text) : std::nullopt, "nameserver");
}

Result<std::optional<EgressPolicy>> readEgress(const json::Value& object) {
  if (!object.present()) return std::optional<EgressPolicy>{};
  EgressPolicy policy;
  policy.destinations = TRY(prefixes(object, "destinations"));
  policy.tcpPorts = TRY(list<Port>(object, "tcpPorts", readPort));
  policy.udpPorts = TRY(list<Port>(object, "udpPorts", readPort));
  policy.nameservers = TRY(list<IpAddress>(object, "nameservers", readServer));
  policy.logDenied = TRY(flag(object, "logDenied"));
  return std::optional{std::move(policy)};
}

Result<std::optional<ResolvConf>> readResolvConf(const json::Value& object) {
  if (!object.present()) return std::optional<ResolvConf>{};
  std::string root = TRY(bytes(object, "root"));
  std::string content = TRY(bytes(object, "content"));
  return std::optional{ResolvConf{std::move(root), std::move(content)}};
}

Result<NetnsId> readNetnsId(const json::Value& object) {
  return NetnsId{.device = static_cast<std::uint64_t>(TRY(required(object["device"].integer(), "device"))),
                 .inode = static_cast<std::uint64_t>(TRY(required(object["inode"].integer(), "inode")))};
}

Result<BridgeSettings> readBridge(const json::Value& object) {
  BridgeSettings bridge{.name = TRY(interface(object, "name"))};
  bridge.gateway = TRY(flag(object, "gateway"));
  bridge.promiscuous = TRY(flag(object, "promiscuous"));
  bridge.forceAddress = TRY(flag(object, "forceAddress"));
  return bridge;
}

Result<AttachmentKey> readKey(const json::Value& object) {
  const NetworkName network = TRY(parsed<NetworkName>(object, "network"));
  const ContainerId container = TRY(parsed<ContainerId>(object, "container"));
  const IfName ifName = TRY(interface(object, "ifName"));
  if (!object["part"].present()) return AttachmentKey{network, container, ifName};
  const auto text = object["part"].string();
  const Part part = TRY(required(text ? parsePart(*text) : std::nullopt, "part"));
  return AttachmentKey{network, container, ifName, part};
}

Result<std::optional<std::string>> readHostLocalDir(const json::Value& object) {
  if (!object["hostLocalDir"].present()) return std::optional<std::string>{};
  return std::optional{TRY(bytes(object, "hostLocalDir"))};
}

Result<std::optional<DelegatedIpam>> readDelegated(const json::Value& object) {
  if (!object.present()) return std::optional<DelegatedIpam>{};
  std::string type = TRY(bytes(object, "type"));
  std::string config = TRY(bytes(object, "config"));
  std::string args = TRY(bytes(object, "args"));
  return std::optional{DelegatedIpam{std::move(type), std::move(config), std::move(args)}};
}

Result<Attachment> readAttachment(const json::Value& object) {
  const AttachmentKey key = TRY(readKey(object));
  const BridgeSettings bridge = TRY(readBridge(object["bridge"]));
  const IfName hostVeth = TRY(interface(object, "hostVeth"));
  const MacAddress hostMac = TRY(parsed<MacAddress>(object, "hostMac"));
  const MacAddress containerMac = TRY(parsed<MacAddress>(object, "containerMac"));
  Attachment attachment{.key = key,
                        .netnsPath = {},
                        .netns = {},
                        .bridge = bridge,
                        .hostVeth = hostVeth,
                        .hostMac = hostMac,
                        .containerMac = containerMac,
                        .leases = {},
                        .routes = {},
                        .sourceNats = {},
                        .forwards = {}};
  attachment.hostLinks = TRY(interfacesIfPresent(object, "hostLinks"));
  attachment.netnsPath = TRY(bytes(object["netns"], "path"));
  attachment.netns = TRY(readNetnsId(object["netns"]));
  attachment.mtu = TRY(number<std::uint32_t>(object, "mtu"));
  attachment.hairpin = TRY(flag(object, "hairpin"));
  attachment.isolated = TRY(flag(object, "isolated"));
  attachment.detectDuplicateAddresses = TRY(flag(object, "detectDuplicateAddresses"));
  attachment.containerInterfaceDown = TRY(flag(object, "containerInterfaceDown"));
  attachment.acceptForward = TRY(flagIfPresent(object, "acceptForward")).value_or(false);
  attachment.adminChain = TRY(bytesIfPresent(object, "adminChain"));
  attachment.ingress = TRY(namedIfPresent(object, "ingress", parseIngressPolicy, IngressPolicy::Open));
  attachment.internal = TRY(flagIfPresent(object, "internal")).value_or(false);
  attachment.guard = TRY(namedIfPresent(object, "guard", parseSenderGuard, SenderGuard::None));
  attachment.egress = TRY(readEgress(object["egress"]));
  attachment.leases = TRY(list<Lease>(object, "leases", readLease));
  attachment.hostLocalDir = TRY(readHostLocalDir(object));
  attachment.delegated = TRY(readDelegated(object["delegated"]));
  attachment.routes = TRY(list<Route>(object, "routes", readRoute));
  attachment.sourceNats = TRY(list<SourceNat>(object, "sourceNats", readSourceNat));
  attachment.forwards = TRY(list<PortForward>(object, "forwards", readForward));
  attachment.loopbackPorts = TRY(flagIfPresent(object, "loopbackPorts")).value_or(true);
  attachment.masqueradeAll = TRY(flagIfPresent(object, "masqueradeAll")).value_or(false);
  attachment.tuning = TRY(readTuning(object["tuning"]));
  attachment.untuned = TRY(readTuning(object["untuned"]));
  attachment.bandwidth = TRY(readBandwidth(object["bandwidth"]));
  attachment.resolvConf = TRY(readResolvConf(object["resolvConf"]));
  return attachment;
}

Result<RecordState> readState(const json::Value& object) {
  const auto text = object["state"].string();
  for (const RecordState state : {RecordState::Claimed, RecordState::Committed, RecordState::Leaving}) {
    if (text == nameOf(state)) return state;
  }
  return damaged("state");
}

}  // namespace

Result<RecordText> decodeRecord(std::string_view text) {
  const json::Document document = TRY(json::Document::parse(text));
  const std::int64_t format = TRY(required(document["format"].integer(), "format"));
  if (format > kRecordFormat) return fail(ENOTSUP, "written by a newer pons (format " + std::to_string(format) + ")");
  if (format != kRecordFormat) return damaged("format");
  Attachment attachment = TRY(readAttachment(document.root()));
  const RecordState state = TRY(readState(document.root()));
  return RecordText{std::move(attachment), state};
}

}  // namespace pons
