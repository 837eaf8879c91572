#include "plugin/ctl/interfaces.h"

#include <algorithm>

#include "plugin/ctl/format.h"

namespace pons::ctl {

namespace {

bool isSameInterface(const AttachmentKey& one, const AttachmentKey& other) {
  return one.network == other.network && one.container == other.container && one.ifName == other.ifName;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (std::ranges::find(to, text) == to.end()) to.push_back(text);
  }
}

std::vector<std::string> addressesOf(const Attachment& attachment) {
  std::vector<std::string> addresses;
  for (const Lease& lease : attachment.leases) addresses.push_back(lease.address.address().toString());
  return addresses;
}

}  // namespace

std::vector<Interface> interfacesOf(const std::vector<AttachmentStatus>& statuses) {
  std::vector<Interface> interfaces;
  for (const AttachmentStatus& status : statuses) {
    if (interfaces.empty() || !isSameInterface(interfaces.back().first->key, status.key)) {
      interfaces.push_back({&status, {}, {}, status.health});
    }
    Interface& interface = interfaces.back();
    if (isBad(status.health) && !isBad(interface.health)) interface.health = status.health;
    if (!status.attachment) continue;
    append(interface.addresses, addressesOf(*status.attachment));
    append(interface.ports, portsOf(status.attachment->forwards));
  }
  return interfaces;
}

}  // namespace pons::ctl
