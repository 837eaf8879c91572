#include "plugin/context/routed_ipv6.h"

#include "netlib/os/sysctl.h"

#include "plugin/context/optional_sysctls.h"

namespace pons {

netlib::Result<> setUpIpv6(Host& host, const netlib::IfName& link) {
  const auto name = [&](std::string_view key) { return netlib::sysctl::ofInterface(netlib::Family::Ipv6, link, key); };
  return setWherePossible(host, {{name("accept_ra"), "0"}, {name("accept_dad"), "0"}});
}

}  // namespace pons
