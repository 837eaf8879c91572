// Sample attachments for the output of the commands.
#pragma once

#include "plugin/ctl/status.h"

#include "tests/support/attachments.h"

namespace support {

/// A container ID of 64 hexadecimal digits, like those of runtimes, derived from a number.
inline std::string idOf(unsigned number) {
  std::string id;
  for (std::uint64_t state = number + 1; id.size() < 64;) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    id += "0123456789abcdef"[state >> 60U];
  }
  return id;
}

inline pons::ctl::AttachmentStatus statusOf(const pons::AttachmentKey& key, std::vector<pons::Lease> leases,
                                            std::vector<pons::PortForward> forwards = {}) {
  pons::Attachment attachment = attachmentOf(key, std::move(leases), std::move(forwards));
  attachment.netnsPath = "/proc/4242/ns/net";
  return {.key = key,
          .health = pons::ctl::Health::Ok,
          .attachment = std::move(attachment),
          .age = std::chrono::seconds{42},
          .faults = {}};
}

/// Dual-stack, with one port published for both families and one at a single address.
inline pons::ctl::AttachmentStatus oneStatus() {
  return statusOf(keyOf(idOf(0)), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}, {prefix("fd42::7/64"), ip("fd42::1")}},
                  {{pons::Protocol::Tcp, ip("0.0.0.0"), 8080, ip("10.42.0.7"), 80},
                   {pons::Protocol::Tcp, ip("::"), 8080, ip("fd42::7"), 80},
                   {pons::Protocol::Udp, ip("192.0.2.1"), 53, ip("10.42.0.7"), 5353, {prefix("192.0.2.0/24")}}});
}

/// One of every health, in two networks; the last one has a chained plugin.
inline std::vector<pons::ctl::AttachmentStatus> allHealths() {
  using namespace pons::ctl;
  std::vector<AttachmentStatus> statuses{oneStatus()};
  const auto add = [&](const std::string& network, Health health, std::vector<pons::Fault> faults) {
    const auto number = static_cast<unsigned>(statuses.size());
    const std::string address = "10.43.0." + std::to_string(number) + "/24";
    statuses.push_back(statusOf(keyOf(idOf(number), network), {{prefix(address), ip("10.43.0.254")}}));
    statuses.back().health = health;
    statuses.back().age = std::chrono::seconds{3600} * (1U << (2 * number));
    statuses.back().faults = std::move(faults);
  };
  statuses.front().health = Health::Broken;
  statuses.front().faults = {{"nf_tables table ip pons", "tables-ip", pons::missing("chain output of table ip pons")},
                             {"published ports", "", pons::missing("published 0.0.0.0 port 8080/tcp")}};
  add("demo", Health::Broken, {statuses.front().faults.front()});
  add("web", Health::Broken,
      {{"veth pons0 to eth0", "", {"veth pons0", "up", "down"}},
       {"addresses of eth0",
        "",
        {"MAC of eth0 (spoof guard)", "0a:58:0a:2b:00:02", "02:00:00:00:00:07", pons::Remedy::RestartContainer}}});
  add("web", Health::Gone,
      {{"", "", pons::missing("network namespace /run/netns/c4 of the container", pons::Remedy::CollectGarbage)}});
  add("web", Health::Adding, {});
  add("web", Health::Deleting, {});
  add("web", Health::AddInterrupted, {{"", "", {"ADD", "done", "interrupted", pons::Remedy::CollectGarbage}}});
  statuses.push_back({.key = keyOf(idOf(7), "web"),
                      .health = Health::Unreadable,
                      .faults = {{"", "", {"record", "readable", "damaged", pons::Remedy::RestartContainer}}}});
  statuses.push_back(statusOf(keyOf(idOf(8), "web"), {{prefix("10.43.0.8/24"), ip("10.43.0.254")}}));
  statuses.push_back(
      statusOf(keyOf(idOf(8), "web"), {}, {{pons::Protocol::Tcp, ip("0.0.0.0"), 443, ip("10.43.0.8"), 8443}}));
  statuses.back().key.plugin = pons::ChainedPlugin::Portmap;
  statuses.back().attachment->key.plugin = pons::ChainedPlugin::Portmap;
  return statuses;
}

inline constexpr pons::ctl::Terminal kNarrow{.width = 80};
inline constexpr pons::ctl::Terminal kWide{.width = 200};

}  // namespace support
