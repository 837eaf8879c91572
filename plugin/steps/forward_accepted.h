// The host forwards what the bridge's containers send, and the answers to it, whatever its own firewall does with the
// unknown.
#pragma once

#include "plugin/firewall/forward_chains.h"
#include "plugin/steps/step.h"

namespace pons {

class ForwardAccepted final : public Step {
 public:
  explicit ForwardAccepted(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  forward::Answer answer() const { return {attachment_.bridge.name, attachment_.adminChain}; }

  const Attachment& attachment_;
};

}  // namespace pons
