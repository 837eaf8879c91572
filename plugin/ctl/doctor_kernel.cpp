// The features of the kernel that pons needs. What is a module that is not loaded yet is not asked for: to ask loads
// it, and the module ifb makes links.
#include "netlib/rtnl/link.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/firewall/kernel_features.h"

namespace pons::ctl {

namespace link = netlib::link;
using netlib::ModuleState;
using tables::Part;

namespace {

using Subsystem = netlib::Socket::Subsystem;

/// Without a part that a default configuration needs, its ADD fails.
Severity severityWithout(Part part, const Needs& needs) {
  if (part == Part::SourceNat || part == Part::Guard) return Severity::Fault;
  if ((part == Part::Egress || part == Part::EgressLog) && needs.bridgeFilter) return Severity::Fault;
  return part == Part::Ports ? Severity::Warning : Severity::Note;
}

class KernelCheck {
 public:
  KernelCheck(Area& area, netlib::KernelModules& modules) : area_(area), modules_(modules) {}

  void linkTypes(const std::vector<std::string>& kinds) {
    auto route = netlib::Socket::open(Subsystem::Route);
    if (!route) return area_.fault(FindingId::KernelFeatureMissing, route.error().message);
    for (const std::string& kind : kinds) {
      if (!mayAsk(kind)) continue;
      const auto known = link::probe(*route, kind);
      if (!known)
        area_.fault(FindingId::KernelFeatureMissing, known.error().message,
                    "modprobe " + kind + ", or a kernel that has it");
    }
  }

  void features(const Needs& needs) {
    std::optional<netlib::Socket> netfilter;
    if (mayAsk("nf_tables")) {
      auto opened = netlib::Socket::open(Subsystem::Netfilter);
      if (!opened)
        return area_.fault(FindingId::KernelFeatureMissing, opened.error().message, "a kernel with CONFIG_NF_TABLES");
      netfilter = std::move(*opened);
    }
    for (const tables::TableFamily family : tables::kAll) {
      std::set<std::string> asked;  // several parts need it: the first one is reported
      for (const Part part : tables::allParts(family)) {
        for (const tables::Feature& feature : tables::featuresOf(family, part)) {
          if (!asked.insert(feature.what).second || !mayAsk(feature.module) || !netfilter) continue;
          const auto known = tables::ask(*netfilter, family, part, feature);
          if (!known)
            area_.add(FindingId::KernelFeatureMissing, severityWithout(part, needs), known.error().message,
                      "a kernel with " + feature.option);
        }
      }
    }
  }

  void report() {
    if (!unloaded_.empty()) {
      const std::vector<std::string> names(unloaded_.begin(), unloaded_.end());
      area_.note(FindingId::ModulesNotLoaded,
                 "not loaded: " + joined(names) + "; the kernel loads them for the first container, which waits for it",
                 "modprobe --all " + joined(names, " ") +
                     "; the packages do so at boot, by /usr/lib/modules-load.d/pons.conf");
    }
    if (!unknown_.empty()) {
      area_.notChecked(joined({unknown_.begin(), unknown_.end()}),
                       "/lib/modules has nothing of this kernel, and to ask the kernel would load them");
    }
    if (area_.found() == 0 && unknown_.empty()) {
      area_.fine("bridge, veth and all needed nf_tables features are available");
    }
  }

 private:
  bool mayAsk(const std::string& module) {
    if (modules_.asksWithoutLoading(module)) return true;
    (modules_.stateOf(module) == ModuleState::Unknown ? unknown_ : unloaded_).insert(module);
    return false;
  }

  Area& area_;
  netlib::KernelModules& modules_;
  std::set<std::string> unloaded_;
  std::set<std::string> unknown_;
};

}  // namespace

void checkKernel(CheckResults& results, const Needs& needs, netlib::KernelModules modules) {
  Area area{results, "kernel"};
  KernelCheck check{area, modules};
  std::vector<std::string> kinds{"bridge", "veth"};
  if (needs.sendLimit) kinds.emplace_back("ifb");
  check.linkTypes(kinds);
  check.features(needs);
  check.report();
}

}  // namespace pons::ctl
