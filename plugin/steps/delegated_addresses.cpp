#include "plugin/steps/delegated_addresses.h"

namespace pons {

std::string DelegatedAddresses::name() const { return "addresses of ipam type " + attachment_.delegated->type; }

// The plugin has given them before the claim, which is made of them.
netlib::Result<> DelegatedAddresses::apply(Host& /*host*/) const { return {}; }

netlib::Result<> DelegatedAddresses::undo(Host& host) const {
  if (host.ipam == nullptr) {
    return netlib::fail(ENOSYS, "nobody is there to call ipam type " + attachment_.delegated->type);
  }
  return host.ipam->free(attachment_);
}

// "pons repair" runs without a runtime's environment, in which the plugin would have to be looked for.
netlib::Result<> DelegatedAddresses::verify(Host& host) const {
  return host.ipam == nullptr ? netlib::Result<>{} : host.ipam->check(attachment_);
}

}  // namespace pons
