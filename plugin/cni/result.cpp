#include "plugin/cni/result.h"

#include <algorithm>

namespace pons::cni {

namespace {

using netlib::Family;

void memberIfSet(json::Writer& writer, std::string_view name, const std::string& text) {
  if (!text.empty()) writer.member(name, text);
}

void memberIfSet(json::Writer& writer, std::string_view name, std::uint32_t number) {
  if (number != 0) writer.member(name, number);
}

void memberIfSet(json::Writer& writer, std::string_view name, const std::optional<netlib::IpAddress>& address) {
  if (address) writer.member(name, address->toString());
}

void memberIfSet(json::Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  writer.key(name).beginArray();
  for (const std::string& text : texts) writer.value(text);
  writer.endArray();
}

/// An array of objects, omitted if empty.
template <class Items, class Print>
void arrayIfAny(json::Writer& writer, std::string_view name, const Items& items, Print print) {
  if (items.empty()) return;
  writer.key(name).beginArray();
  for (const auto& item : items) {
    writer.beginObject();
    print(item);
    writer.endObject();
  }
  writer.endArray();
}

void printInterface(json::Writer& writer, const Interface& interface, Version version) {
  writer.member("name", interface.name);
  memberIfSet(writer, "mac", interface.mac);
  if (version >= Version::V1_1_0) memberIfSet(writer, "mtu", interface.mtu);
  memberIfSet(writer, "sandbox", interface.sandbox);
  if (version < Version::V1_1_0) return;
  memberIfSet(writer, "socketPath", interface.socketPath);
  memberIfSet(writer, "pciID", interface.pciId);
}

void printAddress(json::Writer& writer, const Address& address, Version version) {
  if (version < Version::V1_0_0) writer.member("version", address.address.family() == Family::Ipv4 ? "4" : "6");
  if (address.interface) writer.member("interface", *address.interface);
  writer.member("address", address.address.toString());
  memberIfSet(writer, "gateway", address.gateway);
}

void printRoute(json::Writer& writer, const Route& route, Version version) {
  writer.member("dst", route.destination.toString());
  memberIfSet(writer, "gw", route.gateway);
  if (version < Version::V1_1_0) return;
  memberIfSet(writer, "mtu", route.mtu);
  memberIfSet(writer, "advmss", route.advmss);
  memberIfSet(writer, "priority", route.priority);
  if (route.table) writer.member("table", *route.table);
  if (route.scope) writer.member("scope", std::uint32_t{*route.scope});
}

void printDns(json::Writer& writer, const Dns& dns, Version version) {
  if (dns.empty() && version >= Version::V1_0_0) return;
  std::vector<std::string> nameservers;
  for (const netlib::IpAddress& nameserver : dns.nameservers) nameservers.push_back(nameserver.toString());

  writer.key("dns").beginObject();
  memberIfSet(writer, "nameservers", nameservers);
  memberIfSet(writer, "domain", dns.domain);
  memberIfSet(writer, "search", dns.search);
  memberIfSet(writer, "options", dns.options);
  writer.endObject();
}

void printLists(json::Writer& writer, const AddResult& result, Version version) {
  arrayIfAny(writer, "interfaces", result.interfaces,
             [&](const Interface& interface) { printInterface(writer, interface, version); });
  arrayIfAny(writer, "ips", result.addresses, [&](const Address& address) { printAddress(writer, address, version); });
  arrayIfAny(writer, "routes", result.routes, [&](const Route& route) { printRoute(writer, route, version); });
}

/// Before 0.3.0. Routes of a family without an address cannot be represented.
void printFamily(json::Writer& writer, std::string_view name, Family family, const AddResult& result) {
  const auto first = std::ranges::find(result.addresses, family, [](const Address& a) { return a.address.family(); });
  if (first == result.addresses.end()) return;
  std::vector<Route> routes;
  std::ranges::copy_if(result.routes, std::back_inserter(routes),
                       [family](const Route& route) { return route.destination.family() == family; });

  writer.key(name).beginObject();
  writer.member("ip", first->address.toString());
  memberIfSet(writer, "gateway", first->gateway);
  arrayIfAny(writer, "routes", routes, [&](const Route& route) { printRoute(writer, route, Version::V0_2_0); });
  writer.endObject();
}

}  // namespace

AddResult merge(AddResult previous, AddResult own) {
  const auto shift = static_cast<std::uint32_t>(previous.interfaces.size());
  for (Address& address : own.addresses) {
    if (address.interface) *address.interface += shift;
  }
  std::ranges::move(own.interfaces, std::back_inserter(previous.interfaces));
  std::ranges::move(own.addresses, std::back_inserter(previous.addresses));
  std::ranges::move(own.routes, std::back_inserter(previous.routes));
  if (!own.dns.empty()) previous.dns = std::move(own.dns);
  return previous;
}

Result<std::string> printResult(const AddResult& result, Version version) {
  if (version < Version::V0_3_0 && result.addresses.empty()) {
    return fail(ErrorCode::InvalidConfig,
                "a result of cniVersion " + std::string{textOf(version)} + " requires an address");
  }
  json::Writer writer{json::Style::Indented};
  writer.beginObject().member("cniVersion", textOf(version));
  if (version < Version::V0_3_0) {
    printFamily(writer, "ip4", Family::Ipv4, result);
    printFamily(writer, "ip6", Family::Ipv6, result);
  } else {
    printLists(writer, result, version);
  }
  printDns(writer, result.dns, version);
  writer.endObject();
  return writer.text();
}

}  // namespace pons::cni
