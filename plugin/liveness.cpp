#include "plugin/liveness.h"

namespace pons {

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment) {
  const auto netns = TRY(netlib::netnsAt(attachment.netnsPath));
  const bool sameNetns = netns && NetnsId{netns->device, netns->inode} == attachment.netns;
  // What a chained part works on was made by others, and may have any name.
  if (attachment.key.part != Part::Network) return Liveness{.netns = sameNetns, .link = sameNetns};
  const auto link = netlib::link::find(host.route, attachment.hostVeth);
  if (!link && !link.failedWith(ENODEV)) return netlib::fail(link.error());
  return Liveness{.netns = sameNetns, .link = link.ok()};
}

netlib::Result<bool> isDead(Host& host, const Record& record) {
  if (record.state != RecordState::Committed && !record.salvaged) return true;
  const Liveness alive = TRY(livenessOf(host, record.attachment));
  return !alive.link || !(alive.netns || record.salvaged);
}

netlib::Result<std::vector<Record>> deadOf(Host& host, const NetworkName& network) {
  std::vector<Record> dead;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    if (key.network != network) continue;
    auto record = host.ledger.find(key, std::chrono::milliseconds{0});
    if (!record || !*record) continue;
    const Liveness alive = TRY(livenessOf(host, (*record)->attachment));
    if (!alive.netns && !alive.link) dead.push_back(std::move(**record));
  }
  return dead;
}

}  // namespace pons
