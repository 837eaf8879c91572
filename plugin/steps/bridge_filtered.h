// What the bridge forwards from port to port passes the filters of IP on its way (br_netfilter): there egress policies
// are enforced. The bridge family of nf_tables could do so alone only where it tracks connections, which not every
// kernel does.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class BridgeFiltered final : public Step {
 public:
  explicit BridgeFiltered(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
