#include "plugin/engine/inspection.h"

#include "plugin/engine/liveness.h"

namespace pons {

netlib::Result<> enterContainer(Host& host, const Attachment& attachment) {
  host.container.reset();
  auto container = TRY(Container::open(attachment.netnsPath));
  if (idOf(container) != attachment.netns)
    return netlib::fail(EXDEV, attachment.netnsPath + " refers to a different network namespace than at ADD");
  host.container = std::move(container);
  return {};
}

netlib::Result<bool> isVisible(Host& host, const Attachment& attachment) {
  const auto entered = enterContainer(host, attachment);
  if (entered) return true;
  const auto alive = livenessOf(host, attachment);
  if (alive && alive->link) return false;
  return netlib::fail(entered.error());
}

netlib::Result<> Inspection::verify(const Step& step, bool isBridge) {
  // The bridge each time: the steps behind it read host.bridge, which its verify() sets.
  if (step.sharedState().empty() || isBridge) return step.verify(host_);
  const auto known = shared_.find(step.sharedState());
  if (known != shared_.end()) return known->second;
  return shared_.emplace(step.sharedState(), step.verify(host_)).first->second;
}

std::vector<Fault> Inspection::faultsOf(const Attachment& attachment) {
  const auto visible = isVisible(host_, attachment);
  if (!visible) return {{{}, {}, visible.error().message}};
  std::vector<Fault> faults;
  for (const auto& step : planFor(attachment)) {
    if (step->isInside() && !*visible) continue;
    const bool isBridge = step->sharedState() == shared_state::bridge(attachment);
    const auto verified = verify(*step, isBridge);
    if (verified) continue;
    faults.push_back({step->name(), step->sharedState(), verified.error().message});
    if (isBridge) break;
  }
  return faults;
}

}  // namespace pons
