#include <algorithm>
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

// Each reader converts one member to its type; the error names the member.

netlib::Failure<netlib::Error> damaged(std::string_view member) {
  return fail(netlib::Cause::Damaged, "damaged record: \"" + std::string{member} + "\" is missing or invalid");
}

template <class T>
Result<T> required(std::optional<T> content, std::string_view member) {
  if (!content) return damaged(member);
  return *std::move(content);
}

/// A string, converted by `parse`.
template <class T>
Result<T> parsed(const json::Value& value, std::string_view member, std::optional<T> (*parse)(std::string_view)) {
  const auto text = value.string();
  return required(text ? parse(*text) : std::nullopt, member);
}

template <class T>
Result<T> parsed(const json::Value& object, std::string_view member) {
  return parsed<T>(object[member], member, T::parse);
}

Result<std::string> bytes(const json::Value& object, std::string_view member) {
  return parsed<std::string>(object[member], member, netlib::unescaped);
}

Result<IfName> interface(const json::Value& object, std::string_view member) {
  return required(IfName::parse(TRY(bytes(object, member))), member);
}

Result<bool> flag(const json::Value& object, std::string_view member) {
  return required(object[member].boolean(), member);
}

template <class Number>
Result<Number> number(const json::Value& value, std::string_view member, std::int64_t minimum) {
  const auto content = value.integer();
  if (!content || *content < minimum || *content > std::int64_t{std::numeric_limits<Number>::max()}) {
    return damaged(member);
  }
  return static_cast<Number>(*content);
}

template <class Number>
Result<Number> number(const json::Value& object, std::string_view member) {
  return number<Number>(object[member], member, 0);
}

template <class Item, class Read>
Result<std::vector<Item>> list(const json::Value& object, std::string_view member, Read read) {
  if (!object[member].isArray()) return damaged(member);
  std::vector<Item> items;
  for (const json::Value& element : object[member].items()) items.push_back(TRY(read(element)));
  return items;
}

/// Strings, converted by T::parse.
template <class T>
Result<std::vector<T>> texts(const json::Value& object, std::string_view member) {
  return list<T>(object, member, [&](const json::Value& element) { return parsed<T>(element, member, T::parse); });
}

// Optional members, and members that records of earlier versions of pons do not have.

template <class T>
Result<std::optional<T>> ifPresent(const json::Value& object, std::string_view member,
                                   Result<T> (*read)(const json::Value&, std::string_view)) {
  std::optional<T> content;
  if (object[member].present()) content = TRY(read(object, member));
  return content;
}

template <class T>
Result<std::optional<T>> ifPresent(const json::Value& object, Result<T> (*read)(const json::Value&)) {
  std::optional<T> content;
  if (object.present()) content = TRY(read(object));
  return content;
}

template <class T>
Result<T> namedIfPresent(const json::Value& object, std::string_view member,
                         std::optional<T> (*parse)(std::string_view), T otherwise) {
  return object[member].present() ? parsed(object[member], member, parse) : otherwise;
}

Result<std::vector<IfName>> interfacesIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return std::vector<IfName>{};
  return list<IfName>(object, member, [](const json::Value& element) {
    const auto text = netlib::unescaped(element.string().value_or(""));
    return required(text ? IfName::parse(*text) : std::nullopt, "hostLinks");
  });
}

Result<Lease> readLease(const json::Value& object) {
  const IpPrefix address = TRY(parsed<IpPrefix>(object, "address"));
  const auto gateway = TRY(ifPresent<IpAddress>(object, "gateway", parsed));
  if (gateway && gateway->family() != address.family()) return damaged("gateway");
  return Lease{address, gateway};
}

Result<Route> readRoute(const json::Value& object) {
  const IpPrefix destination = TRY(parsed<IpPrefix>(object, "destination"));
  Route route{.destination = destination, .gateway = {}};
  route.gateway = TRY(ifPresent<IpAddress>(object, "gateway", parsed));
  route.mtu = TRY(number<std::uint32_t>(object, "mtu"));
  route.advmss = TRY(number<std::uint32_t>(object, "advmss"));
  route.priority = TRY(number<std::uint32_t>(object, "priority"));
  route.table = TRY(ifPresent<std::uint32_t>(object, "table", number));
  route.scope = TRY(ifPresent<std::uint8_t>(object, "scope", number));
  return route;
}

Result<SourceNat> readSourceNat(const json::Value& object) {
  std::vector<IpPrefix> subnets = TRY(texts<IpPrefix>(object, "subnets"));
  std::vector<IpPrefix> destinations = TRY(texts<IpPrefix>(object, "destinations"));
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
  const Protocol protocol = TRY(parsed(object["protocol"], "protocol", parseProtocol));
  const IpAddress hostAddress = TRY(parsed<IpAddress>(object, "hostAddress"));
  const Port hostPort = TRY(number<Port>(object["hostPort"], "hostPort", 1));
  const IpAddress target = TRY(parsed<IpAddress>(object, "target"));
  const Port targetPort = TRY(number<Port>(object["targetPort"], "targetPort", 1));
  if (hostAddress.family() != target.family()) return damaged("target");
  return PortForward{protocol, hostAddress, hostPort, target, targetPort};
}

Result<Tuning> readTuning(const json::Value& object) {
  Tuning tuning;
  for (const auto& [sysctl, content] : object["sysctls"].members()) {
    std::string name = TRY(required(netlib::unescaped(sysctl), "sysctls"));
    std::string value = TRY(parsed<std::string>(content, "sysctls", netlib::unescaped));
    tuning.sysctls.emplace(std::move(name), std::move(value));
  }
  tuning.mac = TRY(ifPresent<MacAddress>(object, "mac", parsed));
  tuning.mtu = TRY(ifPresent<std::uint32_t>(object, "mtu", number));
  tuning.promiscuous = TRY(ifPresent(object, "promiscuous", flag));
  tuning.allMulticast = TRY(ifPresent(object, "allMulticast", flag));
  tuning.transmitQueueLength = TRY(ifPresent<std::uint32_t>(object, "transmitQueueLength", number));
  return tuning;
}

Result<RateLimit> readLimit(const json::Value& object) {
  const auto rate = TRY(number<std::int64_t>(object["rate"], "rate", kMinRate));
  const auto burst = TRY(number<std::int64_t>(object, "burst"));
  return RateLimit{.rate = static_cast<std::uint64_t>(rate), .burst = static_cast<std::uint64_t>(burst)};
}

Result<Bandwidth> readBandwidth(const json::Value& object) {
  Bandwidth bandwidth;
  bandwidth.ingress = TRY(ifPresent(object["ingress"], readLimit));
  bandwidth.egress = TRY(ifPresent(object["egress"], readLimit));
  return bandwidth;
}

Result<Port> readPort(const json::Value& element) { return number<Port>(element, "port", 1); }

Result<EgressPolicy> readEgress(const json::Value& object) {
  EgressPolicy policy;
  policy.destinations = TRY(texts<IpPrefix>(object, "destinations"));
  policy.tcpPorts = TRY(list<Port>(object, "tcpPorts", readPort));
  policy.udpPorts = TRY(list<Port>(object, "udpPorts", readPort));
  policy.nameservers = TRY(texts<IpAddress>(object, "nameservers"));
  policy.logDenied = TRY(flag(object, "logDenied"));
  return policy;
}

Result<ResolvConf> readResolvConf(const json::Value& object) {
  ResolvConf resolvConf;
  resolvConf.root = TRY(bytes(object, "root"));
  resolvConf.content = TRY(bytes(object, "content"));
  return resolvConf;
}

Result<NetnsId> readNetnsId(const json::Value& object) {
  NetnsId netns;
  netns.device = static_cast<std::uint64_t>(TRY(required(object["device"].integer(), "device")));
  netns.inode = static_cast<std::uint64_t>(TRY(required(object["inode"].integer(), "inode")));
  return netns;
}

Result<BridgeSettings> readBridge(const json::Value& object) {
  const IfName name = TRY(interface(object, "name"));
  BridgeSettings bridge{.name = name};
  bridge.gateway = TRY(flag(object, "gateway"));
  bridge.promiscuous = TRY(flag(object, "promiscuous"));
  bridge.forceAddress = TRY(flag(object, "forceAddress"));
  return bridge;
}

Result<AttachmentKey> readKey(const json::Value& object) {
  const NetworkName network = TRY(parsed<NetworkName>(object, "network"));
  const ContainerId container = TRY(parsed<ContainerId>(object, "container"));
  const IfName ifName = TRY(interface(object, "ifName"));
  const auto plugin = TRY(namedIfPresent(object, "part", parseChainedPlugin, ChainedPlugin::None));
  return AttachmentKey{network, container, ifName, plugin};
}

Result<DelegatedIpam> readDelegated(const json::Value& object) {
  DelegatedIpam delegated;
  delegated.type = TRY(bytes(object, "type"));
  delegated.config = TRY(bytes(object, "config"));
  delegated.args = TRY(bytes(object, "args"));
  return delegated;
}

Result<Attachment> readAttachment(const json::Value& object) {
  const AttachmentKey key = TRY(readKey(object));
  const BridgeSettings bridge = TRY(readBridge(object["bridge"]));
  Attachment attachment = bareAttachment(key, bridge.name);
  attachment.bridge = bridge;
  attachment.hostVeth = TRY(interface(object, "hostVeth"));
  attachment.hostMac = TRY(parsed<MacAddress>(object, "hostMac"));
  attachment.containerMac = TRY(parsed<MacAddress>(object, "containerMac"));
  attachment.hostLinks = TRY(interfacesIfPresent(object, "hostLinks"));
  attachment.netnsPath = TRY(bytes(object["netns"], "path"));
  attachment.netns = TRY(readNetnsId(object["netns"]));
  attachment.mtu = TRY(number<std::uint32_t>(object, "mtu"));
  attachment.hairpin = TRY(flag(object, "hairpin"));
  attachment.isolated = TRY(flag(object, "isolated"));
  attachment.detectDuplicateAddresses = TRY(flag(object, "detectDuplicateAddresses"));
  attachment.containerInterfaceDown = TRY(flag(object, "containerInterfaceDown"));
  attachment.acceptForward = TRY(ifPresent(object, "acceptForward", flag)).value_or(false);
  attachment.adminChain = TRY(ifPresent(object, "adminChain", bytes));
  attachment.ingress = TRY(namedIfPresent(object, "ingress", parseIngressPolicy, IngressPolicy::Open));
  attachment.internal = TRY(ifPresent(object, "internal", flag)).value_or(false);
  attachment.guard = TRY(namedIfPresent(object, "guard", parseSpoofGuard, SpoofGuard::None));
  attachment.egress = TRY(ifPresent(object["egress"], readEgress));
  attachment.leases = TRY(list<Lease>(object, "leases", readLease));
  if (object["pool"].present()) attachment.pool = TRY(texts<AddressSpan>(object, "pool"));
  attachment.hostLocalDir = TRY(ifPresent(object, "hostLocalDir", bytes));
  attachment.delegated = TRY(ifPresent(object["delegated"], readDelegated));
  attachment.routes = TRY(list<Route>(object, "routes", readRoute));
  attachment.sourceNats = TRY(list<SourceNat>(object, "sourceNats", readSourceNat));
  attachment.forwards = TRY(list<PortForward>(object, "forwards", readForward));
  attachment.loopbackPorts = TRY(ifPresent(object, "loopbackPorts", flag)).value_or(true);
  attachment.masqueradeAll = TRY(ifPresent(object, "masqueradeAll", flag)).value_or(false);
  attachment.tuning = TRY(ifPresent(object["tuning"], readTuning));
  attachment.savedTuning = TRY(ifPresent(object["untuned"], readTuning));
  attachment.bandwidth = TRY(ifPresent(object["bandwidth"], readBandwidth));
  attachment.resolvConf = TRY(ifPresent(object["resolvConf"], readResolvConf));
  return attachment;
}

Result<RecordState> readState(const json::Value& object) {
  const auto text = object["state"].string();
  for (const RecordState state : {RecordState::Claimed, RecordState::Committed, RecordState::Deleting}) {
    if (text == nameOf(state)) return state;
  }
  return damaged("state");
}

}  // namespace

Result<RecordText> decodeRecord(std::string_view text) {
  const json::Document document = TRY(json::Document::parse(text));
  const std::int64_t format = TRY(required(document["format"].integer(), "format"));
  if (format > kRecordFormat)
    return fail(netlib::Cause::Unsupported, "written by a newer pons (format " + std::to_string(format) + ")");
  if (format != kRecordFormat) return damaged("format");
  Attachment attachment = TRY(readAttachment(document.root()));
  const RecordState state = TRY(readState(document.root()));
  return RecordText{std::move(attachment), state};
}

}  // namespace pons
