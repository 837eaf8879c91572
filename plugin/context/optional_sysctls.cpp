#include "plugin/context/optional_sysctls.h"

#include "netlib/os/sysctl.h"

namespace pons {

namespace sysctl = netlib::sysctl;

netlib::Result<> setWherePossible(Host& host, const std::map<std::string, std::string>& wanted) {
  std::string left;
  for (const auto& [name, value] : wanted) {
    const auto written = sysctl::write(name, value);
    if (sysctl::isUnsettable(written)) {
      left += (left.empty() ? "" : "; ") + written.error().message;
    } else {
      TRY(netlib::ignoring(ENOENT, written));
    }
  }
  if (!left.empty()) host.note("sysctl-left", "kernel parameters are left as they are: " + left);
  return {};
}

netlib::Result<> setUpIpv6(Host& host, const netlib::IfName& link) {
  const auto name = [&](std::string_view key) { return netlib::sysctl::ofInterface(netlib::Family::Ipv6, link, key); };
  return setWherePossible(host, {{name("accept_ra"), "0"}, {name("accept_dad"), "0"}});
}

}  // namespace pons
