#include "plugin/engine/repair.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/json_output.h"
#include "plugin/telemetry/counters.h"

namespace pons::ctl {

namespace {

struct Repaired {
  RepairMode mode;
  std::vector<RepairedFault> faults;

  bool isRepaired(const RepairedFault& fault) const { return mode == RepairMode::Repair && fault.reason.empty(); }
  std::size_t countRepaired() const {
    return static_cast<std::size_t>(std::ranges::count_if(faults, [this](const auto& f) { return isRepaired(f); }));
  }
};

std::string textOf(const Repaired& repaired) {
  if (repaired.faults.empty()) return "nothing is missing\n";
  const std::string left = repaired.mode == RepairMode::DryRun ? "fault: " : "not repaired: ";
  std::string text;
  for (const RepairedFault& fault : repaired.faults) {
    text += repaired.isRepaired(fault) ? "repaired: " : left;
    text += netlib::printable(fault.key.toString() + ": " + fault.fault.difference.text());
    text += fault.reason.empty() ? "\n" : " (" + netlib::printable(fault.reason) + ")\n";
  }
  return text;
}

std::string jsonOf(const Repaired& repaired) {
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "findings", repaired.faults, [&](json::Writer& to, const RepairedFault& fault) {
      writeKey(to, fault.key);
      writeDifference(to, fault.fault.difference);
      to.member("mended", repaired.isRepaired(fault));
      if (!fault.reason.empty()) to.member("reason", fault.reason);
    });
  });
}

}  // namespace

Answer repair(const Arguments& arguments) {
  auto host = openHost(arguments);
  if (!host) return failure("repair", host.error());
  Repaired repaired{arguments.dryRun ? RepairMode::DryRun : RepairMode::Repair, {}};
  if (*host) {
    auto faults = pons::repair(**host, repaired.mode);
    if (!faults) return failure("repair", faults.error());
    repaired.faults = std::move(*faults);
  }
  const std::size_t left = repaired.faults.size() - repaired.countRepaired();
  if (*host && !arguments.dryRun) {
    counters::count(arguments.stateDir, counters::Event::Repaired, repaired.countRepaired());
    counters::count(arguments.stateDir, counters::Event::NotRepaired, left);
  }
  return {left == 0 ? 0 : kFailed, arguments.json ? jsonOf(repaired) : textOf(repaired), {}};
}

}  // namespace pons::ctl
