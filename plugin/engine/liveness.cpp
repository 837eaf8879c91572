#include "plugin/engine/liveness.h"

#include <algorithm>

#include "plugin/context/link_owner.h"

namespace pons {

namespace {

namespace link = netlib::link;

/// Another ledger may have an attachment with the same key, and so a veth of that name.
netlib::Result<bool> isVeth(Host& host, const netlib::IfName& name) {
  const auto found = link::find(host.route, name);
  if (!found && !found.failedWith(ENODEV)) return netlib::fail(found.error());
  return found.ok() && found->kind == "veth" && !otherLedgerOf(host, *found);
}

netlib::Result<bool> hasLink(Host& host, const Attachment& attachment) {
  if (TRY(isVeth(host, attachment.hostVeth))) return true;
  for (const netlib::IfName& name : attachment.hostLinks) {
    if (TRY(isVeth(host, name))) return true;
  }
  return false;
}

}  // namespace

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment) {
  const auto netns = TRY(netnsIdAt(attachment.netnsPath));
  const bool link = TRY(hasLink(host, attachment));
  return Liveness{.netns = netns == attachment.netns, .link = link};
}

netlib::Result<bool> isDead(Host& host, const Record& record) {
  if (record.state != RecordState::Committed && !record.salvaged) return true;
  return !TRY(livenessOf(host, record.attachment)).any();
}

netlib::Result<std::vector<Record>> deadOf(Host& host, const std::vector<NetworkName>& networks) {
  std::vector<Record> dead;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    if (std::ranges::find(networks, key.network) == networks.end()) continue;
    auto record = host.ledger.find(key, std::chrono::milliseconds{0});
    if (!record || !*record) continue;
    if (!TRY(livenessOf(host, (*record)->attachment)).any()) dead.push_back(std::move(**record));
  }
  return dead;
}

}  // namespace pons
