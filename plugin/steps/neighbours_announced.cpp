#include "plugin/steps/steps.h"

namespace pons {

namespace {

class NeighboursAnnounced final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "announcement of addresses"; }

  // The kernel sends the announcements when a MAC is set, even to the same value, as containerAddresses() has set
  // arp_notify and ndisc_notify. A packet socket would take longer: closing one waits 8 ms for an RCU grace period.
  netlib::Result<> apply(Host& host) const override {
    TRY(netlib::link::settlePort(host.route, attachment_.hostVeth, host.portIndex));  // or it might not forward yet
    const unsigned index = TRY(containerIndexOf(host, attachment_));
    netlib::Batch batch;
    netlib::link::appendSetMac(batch, index, attachment_.containerMac);
    TRY(host.container->route.request(batch));
    return {};
  }

  // Neighbour entries age: there is nothing to undo and nothing to verify.
  netlib::Result<> undo(Host&) const override { return {}; }
  netlib::Result<Differences> verify(Host&) const override { return Differences{}; }
};

}  // namespace

StepPointer neighboursAnnounced(const Attachment& attachment) {
  return std::make_unique<const NeighboursAnnounced>(attachment);
}

}  // namespace pons
