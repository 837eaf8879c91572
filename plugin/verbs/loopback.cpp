#include "plugin/verbs/loopback.h"

#include <net/if.h>

#include "netlib/rtnl/address.h"

#include "plugin/context/context.h"

namespace pons {

namespace link = netlib::link;
using cni::ErrorCode;
using netlib::Family;

namespace {

netlib::Result<> setUp(Container& container, bool up) {
  netlib::Batch batch;
  link::appendSetFlags(batch, link::kLoopbackIndex, up ? unsigned{IFF_UP} : 0U, IFF_UP);
  TRY(container.route.request(batch));
  return {};
}

netlib::Result<cni::AddResult> describe(const cni::Request& request, Container& container) {
  cni::Interface interface;
  interface.name = "lo";
  interface.mac = "00:00:00:00:00:00";
  interface.sandbox = request.netnsPath;
  cni::AddResult result{.interfaces = {interface}, .addresses = {}, .routes = {}, .dns = {}};
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const auto& entry : TRY(netlib::address::list(container.route, family, link::kLoopbackIndex))) {
      result.addresses.push_back({.interface = 0, .address = entry.prefix, .gateway = std::nullopt});
    }
  }
  return result;
}

cni::Result<std::string> add(const cni::Request& request, Container& container) {
  TRY(setUp(container, true));
  return cni::printResult(request.previous ? *request.previous : TRY(describe(request, container)), request.version);
}

cni::Result<> check(Container& container) {
  if (TRY(link::find(container.route, link::kLoopbackIndex)).up()) return {};
  return cni::fail(ErrorCode::CheckFailed, "lo is down in the container: restart the container");
}

}  // namespace

cni::Result<std::string> serveLoopback(const cni::Request& request) {
  auto container = Container::open(request.netnsPath);
  if (request.verb == cni::Verb::Del) {
    // Nothing to do if the path does not exist or is no longer a network namespace.
    if (container) TRY(setUp(*container, false));
    return std::string{};
  }
  Container opened = TRY(std::move(container));
  if (request.verb == cni::Verb::Add) return add(request, opened);
  TRY(check(opened));
  return std::string{};
}

}  // namespace pons
