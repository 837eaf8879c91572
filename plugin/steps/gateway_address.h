// The bridge bears a gateway address of the containers.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class GatewayAddress final : public Step {
 public:
  GatewayAddress(const Attachment& attachment, const netlib::IpPrefix& address)
      : attachment_(attachment), address_(address) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  netlib::Result<> add(Host& host) const;
  /// Other addresses that overlap give way or make it fail.
  netlib::Result<> makeAlone(Host& host) const;

  const Attachment& attachment_;
  netlib::IpPrefix address_;
};

}  // namespace pons
