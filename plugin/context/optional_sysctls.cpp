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

}  // namespace pons
