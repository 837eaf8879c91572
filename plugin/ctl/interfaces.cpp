#include "plugin/ctl/interfaces.h"

#include <algorithm>

#include "plugin/ctl/words.h"

namespace pons::tools {

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

std::vector<Interface> interfacesOf(const std::vector<Item>& stock) {
  std::vector<Interface> interfaces;
  for (const Item& item : stock) {
    if (interfaces.empty() || !isSameInterface(interfaces.back().first->key, item.key)) {
      interfaces.push_back({&item, {}, {}, item.health});
    }
    Interface& interface = interfaces.back();
    if (isBad(item.health) && !isBad(interface.health)) interface.health = item.health;
    if (!item.attachment) continue;
    append(interface.addresses, addressesOf(*item.attachment));
    append(interface.ports, portsOf(item.attachment->forwards));
  }
  return interfaces;
}

}  // namespace pons::tools
