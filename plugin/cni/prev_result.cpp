#include "plugin/cni/result.h"
#include "plugin/cni/route.h"

namespace pons::cni {

namespace {

constexpr std::uint32_t kAny = 0xffffffff;

Result<Interface> decodeInterface(const Field& field) {
  const Field entry = TRY(field.object());
  Interface interface;
  interface.name = TRY(entry["name"].text()).value_or("");
  interface.mac = TRY(entry["mac"].text()).value_or("");
  interface.mtu = TRY(entry["mtu"].number(0, kAny)).value_or(0);
  interface.sandbox = TRY(entry["sandbox"].text()).value_or("");
  interface.socketPath = TRY(entry["socketPath"].text()).value_or("");
  interface.pciId = TRY(entry["pciID"].text()).value_or("");
  return interface;
}

/// `addressKey`: "address", or "ip" before 0.3.0.
Result<Address> decodeAddress(const Field& field, std::string_view addressKey, std::size_t interfaces) {
  const Field entry = TRY(field.object());
  const auto address = TRY(entry[addressKey].prefix());
  if (!address) return entry[addressKey].missing();
  const auto interface = TRY(entry["interface"].number(0, kAny));
  if (interface && *interface >= interfaces) {
    return entry["interface"].invalid("an index into \"interfaces\", which has " + std::to_string(interfaces) +
                                      " elements");
  }
  const auto gateway = TRY(entry["gateway"].address());
  return Address{.interface = interface, .address = *address, .gateway = gateway};
}

Result<> appendRoutes(AddResult& result, const Field& list) {
  for (const Field& item : TRY(list.items())) result.routes.push_back(TRY(decodeRoute(item)));
  return {};
}

Result<AddResult> decodeLists(const Field& root) {
  AddResult result;
  for (const Field& item : TRY(root["interfaces"].items())) result.interfaces.push_back(TRY(decodeInterface(item)));
  for (const Field& item : TRY(root["ips"].items())) {
    result.addresses.push_back(TRY(decodeAddress(item, "address", result.interfaces.size())));
  }
  TRY(appendRoutes(result, root["routes"]));
  return result;
}

/// Before 0.3.0: one address of each family, each with its own routes.
Result<AddResult> decodeFamilies(const Field& root) {
  AddResult result;
  for (const Field& family : {root["ip4"], root["ip6"]}) {
    if (!family.present()) continue;
    result.addresses.push_back(TRY(decodeAddress(family, "ip", 0)));
    TRY(appendRoutes(result, family["routes"]));
  }
  return result;
}

Result<AddResult> decode(const Field& field, Version configVersion) {
  const Field root = TRY(field.object());
  const auto version = TRY(root["cniVersion"].parsed(parseVersion, "a supported version")).value_or(configVersion);
  AddResult result = TRY(version < Version::V0_3_0 ? decodeFamilies(root) : decodeLists(root));
  result.dns = TRY(decodeDns(root["dns"]));
  return result;
}

}  // namespace

Result<AddResult> parsePrevResult(json::Value prevResult, Version configVersion) {
  auto result = decode(Field{prevResult, "prevResult"}, configVersion);
  if (!result) return fail(ErrorCode::Decode, result.error().message);
  return result;
}

Result<AddResult> parseIpamResult(std::string_view text, Version configVersion) {
  const auto document = json::Document::parse(text);
  if (!document) return fail(ErrorCode::Decode, "IPAM plugin printed an invalid result: " + document.error().message);
  auto result = decode(Field{document->root(), ""}, configVersion);
  if (!result) return fail(ErrorCode::Decode, "IPAM plugin printed an invalid result: " + result.error().message);
  return result;
}

}  // namespace pons::cni
