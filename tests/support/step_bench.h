// An attachment without a record, and the host on which its steps are tried one by one.
#pragma once

#include "plugin/verbs/attachment_builder.h"

#include "tests/support/attachments.h"
#include "tests/support/runtime.h"

namespace support {

struct StepBench {
  pons::Host host;
  pons::Attachment attachment;
  pons::Plan plan;

  /// `leases` are "address/length gateway" each. The container's namespace must be there.
  StepBench(const std::string& config, const std::string& container,
            const std::vector<std::pair<std::string, std::string>>& leases)
      : host(openHost()), attachment(draft(config, container, leases)), plan(pons::planFor(attachment)) {
    host.container = pons::Container::open(attachment.netnsPath).value();
  }
  StepBench(const StepBench&) = delete;
  StepBench& operator=(const StepBench&) = delete;

  /// The first step whose name begins so.
  const pons::Step& step(const std::string& name) const {
    for (const auto& step : plan) {
      if (step->name().starts_with(name)) return *step;
    }
    throw std::runtime_error("no step " + name);
  }

  netlib::Result<> applyAll() {
    for (const auto& step : plan) TRY(step->apply(host));
    return {};
  }
  netlib::Result<> undoAll() {
    for (auto step = plan.rbegin(); step != plan.rend(); ++step) TRY((*step)->undo(host));
    return {};
  }

 private:
  static pons::Attachment draft(const std::string& config, const std::string& container,
                                const std::vector<std::pair<std::string, std::string>>& leases) {
    std::vector<pons::Lease> made;
    for (const auto& [address, gateway] : leases) made.push_back({prefix(address), ip(gateway)});
    const auto request = Runtime{config}.request(pons::cni::Verb::Add, container);
    return pons::attachmentFor(request, {}, request.config.mtu.bytes, std::move(made)).value();
  }
};

}  // namespace support
