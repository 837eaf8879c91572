// CNI_ARGS and its decoded values.
#include "plugin/cni/decode/requested.h"

#include "tests/fuzz/targets.h"

namespace {

using namespace pons::cni;

std::string printed(const CniArgs& args) {
  return "IP=" + args.ip + ";MAC=" + args.mac + ";GATEWAY=" + args.gateway + ";K8S_POD_NAME=p";
}

void checkAddresses(const Field& nothing, const CniArgs& args) {
  const auto addresses = decodeRequestedAddresses(nothing, args);
  if (!addresses) {
    HOLDS(addresses.error().code == ErrorCode::InvalidConfig);
    return;
  }
  CniArgs again;
  for (const netlib::IpAddress& address : *addresses) {
    HOLDS(isUsable(address));
    again.ip += (again.ip.empty() ? "" : ",") + address.toString();
  }
  HOLDS(decodeRequestedAddresses(nothing, again).value() == *addresses);
}

void checkMac(const Field& nothing, const CniArgs& args) {
  const auto mac = decodeRequestedMac(nothing, args);
  if (!mac) HOLDS(mac.error().code == ErrorCode::InvalidConfig);
  if (!mac || !*mac) return;
  HOLDS((*mac)->isUsable());
  CniArgs again;
  again.mac = (*mac)->toString();
  HOLDS(decodeRequestedMac(nothing, again).value() == *mac);
}

}  // namespace

void fuzz::cniArgs(std::string_view input) {
  const auto args = parseCniArgs(input);
  if (!args) {
    HOLDS(args.error().code == ErrorCode::InvalidEnvironment);
    return;
  }
  const auto again = parseCniArgs(printed(*args));
  HOLDS(again.ok());
  HOLDS(again->ip == args->ip && again->mac == args->mac && again->gateway == args->gateway);
  const Field nothing{pons::json::Value{}, ""};
  checkAddresses(nothing, *args);
  checkMac(nothing, *args);
}
