// The fields of an attachment and of its parts, each listed once: the record is written and read along this list, and
// the table in pons(8) is held against it (tests/unit/attachment_fields.cpp).
//
// A visitor is called as visit(name, field) for a field that every record has, and as visit(name, field, otherwise) for
// one that is left out where it has the value `otherwise`, which is what records of earlier versions mean as well. Both
// are part of the format: a new field must have an `otherwise`. visit.nested(name, visitMembers) is an object of the
// record that is no struct. The name of a field in the record is the member's, apart from "part", "netns" and
// "untuned".
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "plugin/model/attachment.h"

namespace pons {

/// The struct, const or not.
template <class T, class Struct>
concept Like = std::same_as<std::remove_const_t<T>, Struct>;

/// The type of the third argument of a visitor.
template <class Field>
using Otherwise = std::type_identity_t<std::remove_const_t<Field>>;

void visitFields(auto& visit, Like<AttachmentKey> auto& key) {
  visit("network", key.network);
  visit("container", key.container);
  visit("ifName", key.ifName);
  visit("part", key.plugin, ChainedPlugin::None);
}

void visitFields(auto& visit, Like<NetnsId> auto& netns) {
  visit("device", netns.device);
  visit("inode", netns.inode);
}

void visitFields(auto& visit, Like<BridgeSettings> auto& bridge) {
  visit("name", bridge.name);
  visit("gateway", bridge.gateway);
  visit("promiscuous", bridge.promiscuous);
  visit("forceAddress", bridge.forceAddress);
}

void visitFields(auto& visit, Like<netlib::VlanRange> auto& range) {
  visit("first", range.first);
  visit("last", range.last);
}

void visitFields(auto& visit, Like<PortVlans> auto& vlans) {
  visit("untagged", vlans.untagged, {});
  visit("trunk", vlans.trunk, {});
  visit("keepsDefault", vlans.keepsDefault);
}

void visitFields(auto& visit, Like<Lease> auto& lease) {
  visit("address", lease.address);
  visit("gateway", lease.gateway, {});
}

void visitFields(auto& visit, Like<Route> auto& route) {
  visit("destination", route.destination);
  visit("gateway", route.gateway, {});
  visit("mtu", route.mtu);
  visit("advmss", route.advmss);
  visit("priority", route.priority);
  visit("table", route.table, {});
  visit("scope", route.scope, {});
}

void visitFields(auto& visit, Like<SourceNat> auto& nat) {
  visit("masquerade", nat.masquerade);
  visit("subnets", nat.subnets);
  visit("destinations", nat.destinations);
}

void visitFields(auto& visit, Like<PortForward> auto& forward) {
  visit("protocol", forward.protocol);
  visit("hostAddress", forward.hostAddress);
  visit("hostPort", forward.hostPort);
  visit("target", forward.target);
  visit("targetPort", forward.targetPort);
  visit("allowFrom", forward.allowFrom, {});
}

void visitFields(auto& visit, Like<Tuning> auto& tuning) {
  visit("sysctls", tuning.sysctls, {});
  visit("mac", tuning.mac, {});
  visit("mtu", tuning.mtu, {});
  visit("promiscuous", tuning.promiscuous, {});
  visit("allMulticast", tuning.allMulticast, {});
  visit("transmitQueueLength", tuning.transmitQueueLength, {});
}

void visitFields(auto& visit, Like<RateLimit> auto& limit) {
  visit("rate", limit.rate);
  visit("burst", limit.burst);
}

void visitFields(auto& visit, Like<Bandwidth> auto& bandwidth) {
  visit("ingress", bandwidth.ingress, {});
  visit("egress", bandwidth.egress, {});
}

void visitFields(auto& visit, Like<EgressPolicy> auto& policy) {
  visit("destinations", policy.destinations);
  visit("tcpPorts", policy.tcpPorts);
  visit("udpPorts", policy.udpPorts);
  visit("nameservers", policy.nameservers);
  visit("logDenied", policy.logDenied);
}

void visitFields(auto& visit, Like<DelegatedIpam> auto& delegated) {
  visit("type", delegated.type);
  visit("config", delegated.config);
  visit("args", delegated.args);
}

void visitFields(auto& visit, Like<ResolvConf> auto& resolvConf) {
  visit("root", resolvConf.root);
  visit("content", resolvConf.content);
}

void visitFields(auto& visit, Like<AttachmentSettings> auto& settings) {
  visit("pod", settings.pod, {});
  visit("bridge", settings.bridge);
  visit("vlans", settings.vlans, {});
  visit("hairpin", settings.hairpin);
  visit("isolated", settings.isolated);
  visit("detectDuplicateAddresses", settings.detectDuplicateAddresses);
  visit("containerInterfaceDown", settings.containerInterfaceDown);
  visit("acceptForward", settings.acceptForward, false);
  visit("adminChain", settings.adminChain, {});
  visit("ingress", settings.ingress, IngressPolicy::Open);
  visit("internal", settings.internal, false);
  visit("publishedOnly", settings.publishedOnly, false);
  visit("onDeny", settings.onDeny, OnDeny::Reject);
  visit("guard", settings.guard, SpoofGuard::None);
  visit("egress", settings.egress, {});
  visit("delegated", settings.delegated, {});
  visit("loopbackPorts", settings.loopbackPorts, true);
  visit("masqueradeAll", settings.masqueradeAll, false);
  visit("tuning", settings.tuning, {});
  visit("bandwidth", settings.bandwidth, {});
}

template <Like<Attachment> T>
void visitFields(auto& visit, T& attachment) {
  visitFields(visit, attachment.key);
  using Settings = std::conditional_t<std::is_const_v<T>, const AttachmentSettings, AttachmentSettings>;
  visitFields(visit, static_cast<Settings&>(attachment));
  visit.nested("netns", [&attachment](auto& inside) {
    inside("path", attachment.netnsPath);
    visitFields(inside, attachment.netns);
  });
  visit("hostVeth", attachment.hostVeth);
  visit("hostLinks", attachment.hostLinks, {});
  visit("hostMac", attachment.hostMac);
  visit("containerMac", attachment.containerMac);
  visit("mtu", attachment.mtu);
  visit("leases", attachment.leases);
  visit("pool", attachment.pool, {});
  visit("hostLocalDir", attachment.hostLocalDir, {});
  visit("routes", attachment.routes);
  visit("sourceNats", attachment.sourceNats);
  visit("forwards", attachment.forwards);
  visit("untuned", attachment.savedTuning, {});
  visit("resolvConf", attachment.resolvConf, {});
}

}  // namespace pons
