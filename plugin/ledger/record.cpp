#include "plugin/ledger/record.h"

#include "netlib/base/escape.h"

#include "plugin/json/json.h"

namespace pons {

using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

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
  for (const auto& [sysctl, content] : tuning->sysctls)
    writer.member(netlib::escaped(sysctl), netlib::escaped(content));
  writer.endObject();
  if (tuning->mac) writer.member("mac", tuning->mac->toString());
  if (tuning->mtu) writer.member("mtu", *tuning->mtu);
  if (tuning->promiscuous) writer.member("promiscuous", *tuning->promiscuous);
  if (tuning->allMulticast) writer.member("allMulticast", *tuning->allMulticast);
  if (tuning->transmitQueueLength) writer.member("transmitQueueLength", *tuning->transmitQueueLength);
  writer.endObject();
}

void writeLimit(json::Writer& writer, std::string_view name, const std::optional<RateLimit>& limit) {
  if (!limit) return;
  writer.key(name).beginObject();
  writer.member("rate", static_cast<std::int64_t>(limit->rate));
  writer.member("burst", static_cast<std::int64_t>(limit->burst));
  writer.endObject();
}

void writeBandwidth(json::Writer& writer, const std::optional<Bandwidth>& bandwidth) {
  if (!bandwidth) return;
  writer.key("bandwidth").beginObject();
  writeLimit(writer, "ingress", bandwidth->ingress);
  writeLimit(writer, "egress", bandwidth->egress);
  writer.endObject();
}

void writeResolvConf(json::Writer& writer, const std::optional<ResolvConf>& resolvConf) {
  if (!resolvConf) return;
  writer.key("resolvConf").beginObject();
  writer.member("root", netlib::escaped(resolvConf->root));
  writer.member("content", netlib::escaped(resolvConf->content));
  writer.endObject();
}

void writeNetns(json::Writer& writer, const Attachment& attachment) {
  writer.key("netns").beginObject();
  writer.member("path", netlib::escaped(attachment.netnsPath));
  // json::Value reads signed numbers; record_reader.cpp casts back.
  writer.member("device", static_cast<std::int64_t>(attachment.netns.device));
  writer.member("inode", static_cast<std::int64_t>(attachment.netns.inode));
  writer.endObject();
}

void writeBridge(json::Writer& writer, const BridgeSettings& bridge) {
  writer.key("bridge").beginObject();
  writer.member("name", netlib::escaped(bridge.name.toString()));
  writer.member("gateway", bridge.gateway);
  writer.member("promiscuous", bridge.promiscuous);
  writer.member("forceAddress", bridge.forceAddress);
  writer.endObject();
}

void writeLink(json::Writer& writer, const Attachment& attachment) {
  writer.member("hostVeth", netlib::escaped(attachment.hostVeth.toString()));
  if (!attachment.hostLinks.empty()) {
    writer.key("hostLinks").beginArray();
    for (const netlib::IfName& link : attachment.hostLinks) writer.value(netlib::escaped(link.toString()));
    writer.endArray();
  }
  writer.member("hostMac", attachment.hostMac.toString());
  writer.member("containerMac", attachment.containerMac.toString());
  writer.member("mtu", attachment.mtu);
  writer.member("hairpin", attachment.hairpin);
  writer.member("isolated", attachment.isolated);
  writer.member("detectDuplicateAddresses", attachment.detectDuplicateAddresses);
  writer.member("containerInterfaceDown", attachment.containerInterfaceDown);
}

template <class Item, class Text>
void writeTexts(json::Writer& writer, std::string_view name, const std::vector<Item>& items, Text text) {
  writer.key(name).beginArray();
  for (const Item& item : items) writer.value(text(item));
  writer.endArray();
}

void writeEgress(json::Writer& writer, const std::optional<EgressPolicy>& policy) {
  if (!policy) return;
  const auto number = [](Port port) { return int{port}; };
  writer.key("egress").beginObject();
  writePrefixes(writer, "destinations", policy->destinations);
  writeTexts(writer, "tcpPorts", policy->tcpPorts, number);
  writeTexts(writer, "udpPorts", policy->udpPorts, number);
  writeTexts(writer, "nameservers", policy->nameservers, [](const IpAddress& server) { return server.toString(); });
  writer.member("logDenied", policy->logDenied);
  writer.endObject();
}

void writeFirewall(json::Writer& writer, const Attachment& attachment) {
  writer.member("acceptForward", attachment.acceptForward);
  if (attachment.adminChain) writer.member("adminChain", netlib::escaped(*attachment.adminChain));
  writer.member("ingress", nameOf(attachment.ingress));
  writer.member("internal", attachment.internal);
  writer.member("guard", nameOf(attachment.guard));
  writeEgress(writer, attachment.egress);
}

void writeIpam(json::Writer& writer, const Attachment& attachment) {
  if (attachment.hostLocalDir) writer.member("hostLocalDir", netlib::escaped(*attachment.hostLocalDir));
  if (!attachment.delegated) return;
  writer.key("delegated").beginObject();
  writer.member("type", netlib::escaped(attachment.delegated->type));
  writer.member("config", netlib::escaped(attachment.delegated->config));
  writer.member("args", netlib::escaped(attachment.delegated->args));
  writer.endObject();
}

/// Ends the record with the state, padded to constant length.
std::string finished(json::Writer& writer, RecordState state) {
  writer.member("state", nameOf(state)).endObject();
  const std::size_t padding = nameOf(RecordState::Committed).size() - nameOf(state).size();
  return writer.text() + std::string(padding, ' ') + "\n";
}

}  // namespace

std::string encodeRecord(const Attachment& attachment, RecordState state) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  writer.member("format", kRecordFormat);
  writer.member("network", attachment.key.network.toString());
  writer.member("container", attachment.key.container.toString());
  writer.member("ifName", netlib::escaped(attachment.key.ifName.toString()));
  if (attachment.key.plugin != ChainedPlugin::None) writer.member("part", nameOf(attachment.key.plugin));
  writeNetns(writer, attachment);
  writeBridge(writer, attachment.bridge);
  writeLink(writer, attachment);
  writeFirewall(writer, attachment);
  writeList(writer, "leases", attachment.leases, writeLease);
  writeTexts(writer, "pool", attachment.pool, [](const AddressSpan& span) { return span.toString(); });
  writeIpam(writer, attachment);
  writeList(writer, "routes", attachment.routes, writeRoute);
  writeList(writer, "sourceNats", attachment.sourceNats, writeSourceNat);
  writeList(writer, "forwards", attachment.forwards, writeForward);
  writer.member("loopbackPorts", attachment.loopbackPorts).member("masqueradeAll", attachment.masqueradeAll);
  writeTuning(writer, "tuning", attachment.tuning);
  writeTuning(writer, "untuned", attachment.savedTuning);
  writeBandwidth(writer, attachment.bandwidth);
  writeResolvConf(writer, attachment.resolvConf);
  return finished(writer, state);
}

std::string recordTail(RecordState state) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  return finished(writer, state).substr(1);  // without the opening brace
}

}  // namespace pons
