#include "plugin/steps/steps.h"

namespace pons {

namespace {

class DelegatedAddresses final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "addresses of ipam type " + attachment_.delegated->type; }
  bool comesWithClaim() const override { return true; }

  // The plugin's ADD comes before the claim, which needs its result.
  netlib::Result<> apply(Host& /*host*/) const override { return {}; }

  netlib::Result<> undo(Host& host) const override {
    if (host.ipam == nullptr) {
      return netlib::fail(netlib::Cause::Internal,
                          "cannot call IPAM plugin " + attachment_.delegated->type + " in this context");
    }
    return host.ipam->free(attachment_);
  }

  // ponsctl has no runtime's environment to call the plugin with.
  netlib::Result<Differences> verify(Host& host) const override {
    if (host.ipam != nullptr) TRY(host.ipam->check(attachment_));
    return Differences{};
  }
};

}  // namespace

StepPointer delegatedAddresses(const Attachment& attachment) {
  return std::make_unique<const DelegatedAddresses>(attachment);
}

}  // namespace pons
