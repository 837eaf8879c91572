#include "plugin/liveness.h"

namespace pons {

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment) {
  const auto netns = TRY(netlib::netnsAt(attachment.netnsPath));
  const bool sameNetns = netns && NetnsId{netns->device, netns->inode} == attachment.netns;
  const auto link = netlib::link::find(host.route, attachment.hostVeth);
  if (!link && !link.failedWith(ENODEV)) return netlib::fail(link.error());
  return Liveness{.netns = sameNetns, .link = link.ok()};
}

}  // namespace pons
