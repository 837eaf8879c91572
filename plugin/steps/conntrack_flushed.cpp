#include "netlib/filter/conntrack.h"

#include "plugin/steps/steps.h"

namespace pons {

namespace conntrack = netlib::conntrack;

namespace {

class ConntrackFlushed final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "flush of conntrack entries"; }

  // Nothing to do: the previous owner of the addresses flushed them before it released the leases.
  netlib::Result<> apply(Host&) const override { return {}; }

  netlib::Result<> undo(Host& host) const override {
    std::vector<conntrack::Filter> filters;
    for (const Lease& lease : attachment_.leases) {
      const netlib::IpAddress& address = lease.address.address();
      filters.push_back({.family = address.family(), .originalSource = address});
      filters.push_back({.family = address.family(), .replySource = address});
    }
    for (const PortForward& forward : attachment_.leases.empty() ? attachment_.forwards : std::vector<PortForward>{}) {
      const auto protocol = static_cast<std::uint8_t>(forward.protocol);
      filters.push_back({.family = forward.target.family(),
                         .replySource = forward.target,
                         .ports = conntrack::Filter::Ports{protocol, forward.hostPort, forward.targetPort}});
    }
    return conntrack::remove(host.netfilter, filters);
  }

  // Nothing to compare: conntrack entries of a running container come and go.
  netlib::Result<Differences> verify(Host&) const override { return Differences{}; }
};

}  // namespace

StepPointer conntrackFlushed(const Attachment& attachment) {
  return std::make_unique<const ConntrackFlushed>(attachment);
}

}  // namespace pons
