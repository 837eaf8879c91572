// What the ledger says against what is there.
#include <algorithm>

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/garbage.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

constexpr const char* kArea = "records";

struct Ailment {
  Verdict verdict;
  std::vector<Health> healths;
  const char* what;  ///< of one attachment, and of several
  const char* whatOfMany;
  const char* remedy;
};

const std::vector<Ailment>& ailments() {
  static const std::vector<Ailment> all{
      {Verdict::Fault,
       {Health::Broken},
       "lacks something in the kernel",
       "lack something in the kernel",
       "pons check tells what, pons repair brings it back"},
      {Verdict::Fault,
       {Health::Unreadable},
       "has a record that cannot be read",
       "have records that cannot be read",
       "a DEL and a new ADD of the container; pons check tells which"},
      {Verdict::Warning,
       {Health::Gone, Health::HalfMade, Health::HalfGone},
       "is of a dead container or verb",
       "are of dead containers or verbs",
       "pons gc tells which, pons gc --delete takes them away"},
  };
  return all;
}

void lookAtHealth(Diagnoses& diagnoses, const std::vector<Item>& stock) {
  for (const Ailment& ailment : ailments()) {
    const auto number = static_cast<std::size_t>(std::ranges::count_if(stock, [&ailment](const Item& item) {
      return std::ranges::find(ailment.healths, item.health) != ailment.healths.end();
    }));
    if (number == 0) continue;
    const std::string what = number == 1 ? ailment.what : ailment.whatOfMany;
    diagnoses.push_back({ailment.verdict, kArea, counted(number, "attachment") + " " + what, ailment.remedy});
  }
}

/// Attachments among it were told already.
void lookAtLeftovers(Diagnoses& diagnoses, Host& host, const Arguments& arguments) {
  const auto found = collect(host, arguments);
  if (!found) return diagnoses.push_back({Verdict::Fault, kArea, found.error().message});
  const auto others = static_cast<std::size_t>(std::ranges::count_if(
      found->garbage, [](const Garbage& garbage) { return garbage.leftover.kind != "attachment"; }));
  if (others == 0) return;
  diagnoses.push_back({Verdict::Warning, kArea, counted(others, "leftover") + " without a record",
                       "pons gc tells what, pons gc --delete takes it away"});
}

/// The mark that pons leaves on links outlives a ledger that somebody removed.
void lookForOrphans(Diagnoses& diagnoses) {
  auto route = netlib::Socket::open(netlib::Socket::Subsystem::Route);
  if (!route) return;
  const auto veths = netlib::link::ofKind(*route, "veth");
  if (!veths) return;
  const auto ours = static_cast<std::size_t>(std::ranges::count_if(
      *veths, [](const netlib::link::Link& link) { return link.alias.starts_with(kAliasPrefix); }));
  if (ours == 0) return;
  diagnoses.push_back({Verdict::Warning, kArea,
                       "there is no ledger, but " + counted(ours, "link") + " of containers that once had a record",
                       "pons gc tells more, and begins a new ledger"});
}

}  // namespace

void lookAtRecords(Diagnoses& diagnoses, Host* host, const Arguments& arguments, const std::vector<Item>& stock) {
  const std::size_t before = diagnoses.size();
  lookAtHealth(diagnoses, stock);
  if (host != nullptr) {
    lookAtLeftovers(diagnoses, *host, arguments);
  } else if (!exists(arguments.stateDir)) {
    lookForOrphans(diagnoses);
  }
  if (diagnoses.size() > before) return;
  diagnoses.push_back({Verdict::Fine, kArea, counted(stock.size(), "attachment") + " on record, nothing is missing"});
}

}  // namespace pons::tools
