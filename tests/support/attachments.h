// Attachments for tests.
#pragma once

#include "plugin/model/attachment.h"

namespace support {

inline netlib::IpAddress ip(const std::string& text) { return netlib::IpAddress::parse(text).value(); }
inline netlib::IpPrefix prefix(const std::string& text) { return netlib::IpPrefix::parse(text).value(); }

inline pons::AttachmentKey keyOf(const std::string& container, const std::string& network = "demo",
                                 const std::string& ifName = "eth0") {
  return {pons::NetworkName::parse(network).value(), pons::ContainerId::parse(container).value(),
          netlib::IfName::parse(ifName).value()};
}

inline pons::Attachment attachmentOf(const pons::AttachmentKey& key, std::vector<pons::Lease> leases,
                                     std::vector<pons::PortForward> forwards = {}) {
  const auto bridge = netlib::IfName::parse(key.network.toString() == "demo" ? "pons0" : "pons1").value();
  pons::Attachment attachment = pons::bareAttachment(key, bridge);
  attachment.bridge.gateway = true;
  attachment.netnsPath = "/run/netns/" + key.container.toString();
  attachment.netns = {.device = 4, .inode = 4026531840};
  attachment.hostMac = netlib::MacAddress::parse("0a:00:00:00:00:01").value();
  attachment.containerMac = netlib::MacAddress::parse("0a:00:00:00:00:02").value();
  attachment.leases = std::move(leases);
  attachment.sourceNats = {{{prefix("10.42.0.0/24")}, true, {}}};
  attachment.forwards = std::move(forwards);
  return attachment;
}

/// Values at the limits of their types, and bytes that are hard to write.
inline pons::Attachment fullAttachment() {
  pons::Attachment attachment = attachmentOf(keyOf("c0ffee", "demo.net", "eth0\xe9"), {});
  attachment.netnsPath = "/proc/42/ns/net \"quoted\" \xff\x01";
  attachment.netns = {.device = 0xffffffffffffffffU, .inode = 1};
  attachment.bridge.name = netlib::IfName::parse("br\xc3*").value();
  attachment.bridge.gateway = false;
  attachment.bridge.promiscuous = attachment.bridge.forceAddress = true;
  attachment.mtu = 4294967295U;
  attachment.hairpin = false;
  attachment.isolated = attachment.detectDuplicateAddresses = attachment.containerInterfaceDown = true;
  attachment.acceptForward = true;
  attachment.adminChain = "ADMIN \"x\"";
  attachment.ingress = pons::IngressPolicy::Isolated;
  attachment.publishedOnly = true;
  attachment.onDeny = pons::OnDeny::Drop;
  attachment.leases = {{prefix("10.42.0.7/24"), ip("10.42.0.1")}, {prefix("fd00::7/64"), std::nullopt}};
  attachment.pool = {{ip("10.42.0.2"), ip("10.42.0.99")}, {ip("fd00::2"), ip("fd00::ffff")}};
  attachment.hostLocalDir = "/var/lib/cni/\xffnetworks";
  attachment.delegated = {"whereabouts", "{\"name\": \"demo.net\",\n\t\"type\": \"pons\"}\xfe", "K8S_POD_NAME=p;IP="};
  attachment.routes = {{prefix("0.0.0.0/0"), ip("10.42.0.1"), 1400, 1360, 100, 254U, std::uint8_t{253}},
                       {.destination = prefix("fd01::/64"), .gateway = std::nullopt, .table = {}, .scope = {}}};
  attachment.sourceNats = {{{prefix("10.42.0.0/24")}, true, {prefix("10.0.0.0/8"), prefix("192.168.0.1/32")}},
                           {{prefix("fd00::/64")}, false, {}}};
  attachment.forwards = {{pons::Protocol::Tcp, ip("0.0.0.0"), 8080, ip("10.42.0.7"), 80},
                         {pons::Protocol::Udp, ip("192.0.2.1"), 53, ip("10.42.0.7"), 65535},
                         {pons::Protocol::Sctp, ip("::"), 1, ip("fd00::7"), 2}};
  attachment.bandwidth =
      pons::Bandwidth{.ingress = pons::RateLimit{8, 0}, .egress = pons::RateLimit{9223372036854775807U, 4294967295U}};
  attachment.resolvConf = {"/run/root \xff", "nameserver 10.42.0.1\n"};
  return attachment;
}

}  // namespace support
