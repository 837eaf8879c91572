#include "plugin/steps/bridge_filtered.h"

#include "netlib/os/sysctl.h"

namespace pons {

namespace link = netlib::link;
using link::BridgeFilter;

namespace {

constexpr const char* kIpv4 = "ipv4";
constexpr const char* kIpv6 = "ipv6";

/// The kernel knows the bridge's switches whether or not the module is there that does the work.
netlib::Result<> requireModule() {
  const auto known = netlib::sysctl::read("net/bridge/bridge-nf-call-iptables");
  if (known.failedWith(ENOENT)) {
    return netlib::fail(EOPNOTSUPP,
                        "\"egressPolicy\" needs the kernel module br_netfilter: load it by \"modprobe br_netfilter\"");
  }
  return known ? netlib::Result<>{} : netlib::Result<>{netlib::fail(known.error())};
}

netlib::Result<> set(Host& host, unsigned bridge, BridgeFilter filter) {
  netlib::Batch batch;
  link::appendSetFilter(batch, bridge, filter);
  TRY(host.route.request(batch));
  return {};
}

constexpr BridgeFilter kOn{.ipv4 = true, .ipv6 = true};

std::string textOf(bool on) { return on ? "1" : "0"; }

}  // namespace

std::string BridgeFiltered::name() const {
  return "filtering of what bridge " + attachment_.bridge.name.toString() + " forwards";
}

std::string BridgeFiltered::hold() const { return hold::filtered(attachment_); }

netlib::Result<> BridgeFiltered::apply(Host& host) const {
  TRY(requireModule());
  const BridgeFilter before = host.bridge.filter;
  if (before == kOn) return {};
  const auto lock = TRY(host.ledger.lockHost());
  TRY(host.ledger.remember(hold(), {{kIpv4, textOf(before.ipv4)}, {kIpv6, textOf(before.ipv6)}}));
  return set(host, host.bridge.index, kOn);
}

netlib::Result<> BridgeFiltered::undo(Host& host) const {
  auto originals = TRY(host.ledger.remembered(hold()));
  if (originals.empty()) return {};
  const auto bridge = link::find(host.route, attachment_.bridge.name);
  if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
  if (bridge) TRY(set(host, bridge->index, {.ipv4 = originals[kIpv4] == "1", .ipv6 = originals[kIpv6] == "1"}));
  return host.ledger.forget(hold());
}

netlib::Result<> BridgeFiltered::verify(Host& host) const {
  const auto module = requireModule();
  if (!module) return broken(module.error().message);
  if (host.bridge.filter == kOn) return {};
  return broken(name() + " is off (nf_call_iptables, nf_call_ip6tables)");
}

}  // namespace pons
