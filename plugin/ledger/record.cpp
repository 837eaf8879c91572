#include "plugin/ledger/record.h"

#include <algorithm>
#include <array>
#include <limits>

#include "plugin/cni/json.h"
#include "plugin/ledger/escape.h"

namespace pons {

using netlib::fail;
using netlib::Family;
using netlib::IfName;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::MacAddress;
using netlib::Result;

namespace {

constexpr std::int64_t kFormat = 1;

constexpr std::array kStates{RecordState::Claimed, RecordState::Committed, RecordState::Leaving};

constexpr std::string_view nameOf(RecordState state) {
  constexpr std::array<std::string_view, kStates.size()> kNames{"claimed", "committed", "leaving"};
  return kNames.at(static_cast<std::size_t>(state));
}

void writeAddress(json::Writer& writer, std::string_view name, const std::optional<IpAddress>& address) {
  if (address) writer.member(name, address->toString());
}

void writePrefixes(json::Writer& writer, std::string_view name, const std::vector<IpPrefix>& prefixes) {
  writer.key(name).beginArray();
  for (const IpPrefix& prefix : prefixes) writer.value(prefix.toString());
  writer.endArray();
}

template <class Item, class WriteMembers>
void writeList(json::Writer& writer, std::string_view name, const std::vector<Item>& items, WriteMembers writeMembers) {
  writer.key(name).beginArray();
  for (const Item& item : items) {
    writer.beginObject();
    writeMembers(writer, item);
    writer.endObject();
  }
  writer.endArray();
}

void writeLease(json::Writer& writer, const Lease& lease) {
  writer.member("address", lease.address.toString());
  writeAddress(writer, "gateway", lease.gateway);
}

void writeRoute(json::Writer& writer, const Route& route) {
  writer.member("destination", route.destination.toString());
  writeAddress(writer, "gateway", route.gateway);
  writer.member("mtu", route.mtu).member("advmss", route.advmss).member("priority", route.priority);
  if (route.table) writer.member("table", *route.table);
  if (route.scope) writer.member("scope", int{*route.scope});
}

void writeSourceNat(json::Writer& writer, const SourceNat& nat) {
  writer.member("masquerade", nat.masquerade);
  writePrefixes(writer, "subnets", nat.subnets);
  writePrefixes(writer, "destinations", nat.destinations);
}

void writeForward(json::Writer& writer, const PortForward& forward) {
  writer.member("protocol", nameOf(forward.protocol));
  writer.member("hostAddress", forward.hostAddress.toString()).member("hostPort", int{forward.hostPort});
  writer.member("target", forward.target.toString()).member("targetPort", int{forward.targetPort});
}

void writeTuning(json::Writer& writer, std::string_view name, const std::optional<Tuning>& tuning) {
  if (!tuning) return;
  writer.key(name).beginObject();
  writer.key("sysctls").beginObject();
  for (const auto& [sysctl, content] : tuning->sysctls) writer.member(sysctl, escaped(content));
  writer.endObject();
  if (tuning->mac) writer.member("mac", tuning->mac->toString());
  if (tuning->mtu) writer.member("mtu", *tuning->mtu);
  if (tuning->promiscuous) writer.member("promiscuous", *tuning->promiscuous);
  if (tuning->allMulticast) writer.member("allMulticast", *tuning->allMulticast);
  if (tuning->transmitQueueLength) writer.member("transmitQueueLength", *tuning->transmitQueueLength);
  writer.endObject();
}

void writeNetns(json::Writer& writer, const Attachment& attachment) {
  writer.key("netns").beginObject();
  writer.member("path", escaped(attachment.netnsPath));
  // JSON numbers are read as signed: the sign bit comes back when it is read.
  writer.member("device", static_cast<std::int64_t>(attachment.netns.device));
  writer.member("inode", static_cast<std::int64_t>(attachment.netns.inode));
  writer.endObject();
}

void writeBridge(json::Writer& writer, const BridgeSettings& bridge) {
  writer.key("bridge").beginObject();
  writer.member("name", escaped(bridge.name.toString()));
  writer.member("gateway", bridge.gateway);
  writer.member("promiscuous", bridge.promiscuous);
  writer.member("forceAddress", bridge.forceAddress);
  writer.endObject();
}

void writeLink(json::Writer& writer, const Attachment& attachment) {
  writer.member("hostVeth", escaped(attachment.hostVeth.toString()));
  writer.member("hostMac", attachment.hostMac.toString());
  writer.member("containerMac", attachment.containerMac.toString());
  writer.member("mtu", attachment.mtu);
  writer.member("hairpin", attachment.hairpin);
  writer.member("isolated", attachment.isolated);
  writer.member("detectDuplicateAddresses", attachment.detectDuplicateAddresses);
  writer.member("containerInterfaceDown", attachment.containerInterfaceDown);
}

void writeFirewall(json::Writer& writer, const Attachment& attachment) {
  writer.member("acceptForward", attachment.acceptForward);
  if (attachment.adminChain) writer.member("adminChain", escaped(*attachment.adminChain));
  writer.member("ingress", nameOf(attachment.ingress));
}

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
  return required(text ? unescaped(*text) : std::nullopt, member);
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

Result<IngressPolicy> ingressIfPresent(const json::Value& object, std::string_view member) {
  if (!object[member].present()) return IngressPolicy::Open;
  const auto text = object[member].string();
  return required(text ? parseIngressPolicy(*text) : std::nullopt, member);
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
    tuning.sysctls.emplace(sysctl, TRY(required(text ? unescaped(*text) : std::nullopt, "sysctls")));
  }
  tuning.mac = TRY(parsedIfPresent<MacAddress>(object, "mac"));
  tuning.mtu = TRY(numberIfPresent<std::uint32_t>(object, "mtu"));
  tuning.promiscuous = TRY(flagIfPresent(object, "promiscuous"));
  tuning.allMulticast = TRY(flagIfPresent(object, "allMulticast"));
  tuning.transmitQueueLength = TRY(numberIfPresent<std::uint32_t>(object, "transmitQueueLength"));
  return std::optional{std::move(tuning)};
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
  const auto part = object["part"].string();
  return AttachmentKey{network, container, ifName, TRY(required(part ? parsePart(*part) : std::nullopt, "part"))};
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
  attachment.netnsPath = TRY(bytes(object["netns"], "path"));
  attachment.netns = TRY(readNetnsId(object["netns"]));
  attachment.mtu = TRY(number<std::uint32_t>(object, "mtu"));
  attachment.hairpin = TRY(flag(object, "hairpin"));
  attachment.isolated = TRY(flag(object, "isolated"));
  attachment.detectDuplicateAddresses = TRY(flag(object, "detectDuplicateAddresses"));
  attachment.containerInterfaceDown = TRY(flag(object, "containerInterfaceDown"));
  attachment.acceptForward = TRY(flagIfPresent(object, "acceptForward")).value_or(false);
  attachment.adminChain = TRY(bytesIfPresent(object, "adminChain"));
  attachment.ingress = TRY(ingressIfPresent(object, "ingress"));
  attachment.leases = TRY(list<Lease>(object, "leases", readLease));
  attachment.routes = TRY(list<Route>(object, "routes", readRoute));
  attachment.sourceNats = TRY(list<SourceNat>(object, "sourceNats", readSourceNat));
  attachment.forwards = TRY(list<PortForward>(object, "forwards", readForward));
  attachment.loopbackPorts = TRY(flagIfPresent(object, "loopbackPorts")).value_or(true);
  attachment.masqueradeAll = TRY(flagIfPresent(object, "masqueradeAll")).value_or(false);
  attachment.tuning = TRY(readTuning(object["tuning"]));
  attachment.untuned = TRY(readTuning(object["untuned"]));
  return attachment;
}

Result<RecordState> readState(const json::Value& object) {
  const auto text = object["state"].string();
  for (const RecordState state : kStates) {
    if (text == nameOf(state)) return state;
  }
  return damaged("state");
}

/// Closes the record with its last member, as wide for one state as for another.
std::string finished(json::Writer& writer, RecordState state) {
  writer.member("state", nameOf(state)).endObject();
  const std::size_t padding = nameOf(RecordState::Committed).size() - nameOf(state).size();
  return writer.text() + std::string(padding, ' ') + "\n";
}

}  // namespace

std::string encodeRecord(const Attachment& attachment, RecordState state) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  writer.member("format", kFormat);
  writer.member("network", attachment.key.network.toString());
  writer.member("container", attachment.key.container.toString());
  writer.member("ifName", escaped(attachment.key.ifName.toString()));
  if (attachment.key.part != Part::Network) writer.member("part", nameOf(attachment.key.part));
  writeNetns(writer, attachment);
  writeBridge(writer, attachment.bridge);
  writeLink(writer, attachment);
  writeFirewall(writer, attachment);
  writeList(writer, "leases", attachment.leases, writeLease);
  writeList(writer, "routes", attachment.routes, writeRoute);
  writeList(writer, "sourceNats", attachment.sourceNats, writeSourceNat);
  writeList(writer, "forwards", attachment.forwards, writeForward);
  writer.member("loopbackPorts", attachment.loopbackPorts).member("masqueradeAll", attachment.masqueradeAll);
  writeTuning(writer, "tuning", attachment.tuning);
  writeTuning(writer, "untuned", attachment.untuned);
  return finished(writer, state);
}

std::string recordTail(RecordState state) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  return finished(writer, state).substr(1);  // without the opening brace
}

Result<RecordText> decodeRecord(std::string_view text) {
  const json::Document document = TRY(json::Document::parse(text));
  const std::int64_t format = TRY(required(document["format"].integer(), "format"));
  if (format > kFormat) return fail(ENOTSUP, "written by a newer pons (format " + std::to_string(format) + ")");
  if (format != kFormat) return damaged("format");
  Attachment attachment = TRY(readAttachment(document.root()));
  const RecordState state = TRY(readState(document.root()));
  return RecordText{std::move(attachment), state};
}

}  // namespace pons
