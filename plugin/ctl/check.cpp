#include "plugin/ctl/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/show.h"
#include "plugin/telemetry/counters.h"

namespace pons::ctl {

namespace {

using json::Value;

bool isShared(const Value& fault) { return isTrue(fault["shared"]); }

bool isRepairable(const Value& fault) { return plainText(fault["remedy"]) == remedyText(Remedy::Repair); }

/// A fault of shared state, and the attachments that refer to it.
struct SharedFault {
  std::string text;
  std::vector<Value> attachments = {};
};

std::vector<SharedFault> sharedFaultsOf(const std::vector<Value>& attachments) {
  std::vector<SharedFault> shared;
  for (const Value& attachment : attachments) {
    std::set<std::string> texts;  // several steps may find the same
    for (const Value& fault : attachment["faults"].items()) {
      const std::string text = withRemedy(fault);
      if (!isShared(fault) || !texts.insert(text).second) continue;
      auto known = std::ranges::find(shared, text, &SharedFault::text);
      if (known == shared.end()) known = shared.insert(shared.end(), {text});
      known->attachments.push_back(attachment);
    }
  }
  return shared;
}

std::string textOf(const SharedFault& fault, std::size_t idLength, const Terminal& terminal) {
  constexpr std::size_t kMax = 5;
  const std::size_t all = fault.attachments.size();
  const std::size_t listed = terminal.isComplete() ? all : std::min(all, kMax);
  std::string text = paragraph(fault.text, 0, terminal, Colour::Bad);
  text += paragraph("affects " + counted(all, "attachment") + ":", 2, terminal);
  for (std::size_t i = 0; i < listed; ++i) {
    text += paragraph(attachmentIn(fault.attachments[i], idLength), 4, terminal);
  }
  if (listed < all) text += paragraph("and " + std::to_string(all - listed) + " more (--wide lists all)", 4, terminal);
  return text + "\n";
}

struct OwnFaults {
  std::vector<std::string> texts = {};
  bool areHidden = false;  ///< some, which the repair of a broken shared state restores as well
};

OwnFaults ownFaultsOf(const Value& attachment) {
  const std::vector<Value> all = attachment["faults"].items();
  const bool hasShared = std::ranges::any_of(all, isShared);
  OwnFaults own;
  for (const Value& fault : all) {
    if (isShared(fault)) continue;
    if (hasShared && isRepairable(fault)) {
      own.areHidden = true;
    } else {
      own.texts.push_back(withRemedy(fault));
    }
  }
  return own;
}

bool isRepaired(const Value& finding) { return isTrue(finding["repaired"]); }

std::string pastText(const Value& finding, std::size_t idLength) {
  const std::string whose = isShared(finding) ? "" : attachmentIn(finding, idLength) + ": ";
  if (isRepaired(finding)) {
    return "restored: " + whose + plainText(finding["subject"]) + " (was " + plainText(finding["actual"]) + ")";
  }
  return "not restored: " + whose + plainText(finding["what"]) + " (" + plainText(finding["reason"]) + ")";
}

/// Of all attachments, or of those that the argument names.
netlib::Result<std::vector<AttachmentStatus>> chosenStatus(const Arguments& arguments) {
  if (arguments.subject.empty()) return collectStatus(arguments);
  Host host = TRY(requireHost(arguments));
  return collectStatus(host, TRY(attachmentsNamed(host, arguments.subject)));
}

netlib::Result<Answer> verify(const Arguments& arguments) {
  const auto statuses = TRY(chosenStatus(arguments));
  const View view = [&](const Value& root, const Terminal& terminal) {
    return statuses.empty() ? "no attachments" + absenceOf(arguments) + "\n" : checkText(root, terminal);
  };
  const bool anyBad = std::ranges::any_of(statuses, isBad, &AttachmentStatus::health);
  return answer(arguments, checkJson(statuses), view, anyBad ? kFailed : 0);
}

netlib::Result<Answer> restore(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  const auto findings = host ? TRY(repaired(*host, arguments)) : std::vector<Finding>{};
  const bool isDone =
      std::ranges::all_of(findings, [](const Finding& finding) { return finding.fault.reason.empty(); });
  return answer(arguments, repairJson(findings), repairText, isDone ? 0 : kFailed);
}

}  // namespace

std::string checkJson(const std::vector<AttachmentStatus>& statuses) {
  std::vector<AttachmentStatus> bad = statuses;
  std::erase_if(bad, [](const AttachmentStatus& status) { return !isBad(status.health); });
  return jsonDocument([&](json::Writer& writer) {
    writeNumber(writer, "attachments", statuses.size());
    writeObjects(writer, "broken", bad, writeStatus);
  });
}

std::string checkText(const Value& root, const Terminal& terminal) {
  const std::size_t all = numberIn(root["attachments"]);
  const std::vector<Value> broken = root["broken"].items();
  if (broken.empty()) return counted(all, "attachment") + ", no faults\n";
  const std::size_t idLength = idLengthIn(broken, terminal);
  std::string text;
  for (const SharedFault& fault : sharedFaultsOf(broken)) text += textOf(fault, idLength, terminal);
  bool areHidden = false;
  for (const Value& attachment : broken) {
    const OwnFaults own = ownFaultsOf(attachment);
    areHidden |= own.areHidden;
    if (own.texts.empty()) continue;
    text += paragraph(attachmentIn(attachment, idLength), 0, terminal);
    for (const std::string& fault : own.texts) text += paragraph(fault, 2, terminal, Colour::Bad);
    text += "\n";
  }
  return text + withFaults(broken.size(), all) + ".\n" +
         (areHidden ? "Follow-up faults are hidden; --json shows all.\n" : "");
}

netlib::Result<std::vector<Finding>> repaired(Host& host, const Arguments& arguments) {
  std::map<AttachmentKey, std::string> pods;
  std::vector<Finding> findings;
  for (RepairedFault& fault : TRY(pons::repair(host))) {
    const auto [pod, isNew] = pods.try_emplace(fault.key);
    const auto seen = isNew ? host.ledger.snapshot(fault.key) : std::nullopt;
    if (isNew && seen && *seen) pod->second = (*seen)->attachment.pod;
    const auto event = fault.reason.empty() ? counters::Event::Repaired : counters::Event::NotRepaired;
    counters::count(arguments.stateDir, event);
    findings.push_back({std::move(fault), pod->second});
  }
  return findings;
}

std::string repairJson(const std::vector<Finding>& findings) {
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "findings", findings, [](json::Writer& to, const Finding& finding) {
      const auto& [key, fault, reason] = finding.fault;
      writeKey(to, key, finding.pod);
      writeFault(to, fault);
      to.member("repaired", reason.empty());
      if (!reason.empty()) to.member("reason", reason);
    });
  });
}

std::string repairLine(const Finding& finding) {
  return viewed(
      repairJson({finding}),
      [](const Value& root, const Terminal&) { return pastText(root["findings"].items().front(), std::string::npos); },
      Terminal{});
}

std::string repairText(const Value& root, const Terminal& terminal) {
  std::vector<Value> findings = root["findings"].items();
  if (findings.empty()) return "nothing is missing\n";
  const std::size_t idLength = idLengthIn(findings, terminal);
  std::ranges::stable_sort(findings, {}, [](const Value& one) { return isShared(one) ? "" : attachmentIn(one); });
  std::string text;
  std::map<bool, std::set<std::string>> listed;  // by isRepaired()
  for (const Value& finding : findings) {
    const bool isGood = isRepaired(finding);
    const std::string line = pastText(finding, idLength);
    if (listed[isGood].insert(line).second) text += terminal.in(isGood ? Colour::Good : Colour::Bad, line) + "\n";
  }
  const std::size_t left = listed[false].size();
  if (listed[true].size() + left == 1) return text;
  return text + std::to_string(listed[true].size()) + " restored" +
         (left == 0 ? "" : ", " + std::to_string(left) + " not restored") + "\n";
}

netlib::Result<Answer> check(const Arguments& arguments) {
  return arguments.repairs ? restore(arguments) : verify(arguments);
}

netlib::Result<Answer> repair(const Arguments& arguments) {
  return arguments.dryRun ? verify(arguments) : restore(arguments);
}

}  // namespace pons::ctl
