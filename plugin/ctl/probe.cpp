#include "plugin/ctl/probe.h"

#include <algorithm>
#include <array>

#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/nameservers.h"
#include "plugin/ctl/report.h"
#include "plugin/ctl/show.h"
#include "plugin/engine/inspection.h"

namespace pons::ctl {

namespace {

struct ProbedAttachment {
  Attachment attachment;
  std::vector<Probed> probes;
};

struct ProbedAttachments {
  std::vector<ProbedAttachment> all = {};
  std::vector<std::string> problems = {};  ///< of attachments that could not be probed
};

/// Nothing if it was deleted meanwhile.
netlib::Result<std::optional<ProbedAttachment>> probed(Host& host, const AttachmentKey& key,
                                                       const Arguments& arguments) {
  auto record = TRY(host.ledger.snapshot(key));
  if (!record) return std::optional<ProbedAttachment>{};
  Attachment& attachment = record->attachment;
  TRY(enterContainer(host, attachment));
  auto probes = probesOf(host, attachment, nameserversOf(attachment, arguments), arguments.timeout);
  return std::optional{ProbedAttachment{std::move(attachment), std::move(probes)}};
}

netlib::Result<ProbedAttachments> collect(const Arguments& arguments) {
  Host host = TRY(requireHost(arguments));
  ProbedAttachments attachments;
  for (const AttachmentKey& key : TRY(attachmentsNamed(host, arguments.subject))) {
    auto one = probed(host, key, arguments);
    if (!one) {
      attachments.problems.push_back(key.toString() + ": " + one.error().message);
    } else if (*one && !(*one)->probes.empty()) {
      attachments.all.push_back(std::move(**one));
    }
  }
  return attachments;
}

std::string documentOf(const ProbedAttachments& attachments) {
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "attachments", attachments.all, [](json::Writer& to, const ProbedAttachment& one) {
      writeKey(to, one.attachment.key, one.attachment.pod);
      writeObjects(to, "probes", one.probes, [](json::Writer& row, const Probed& probe) {
        row.member("target", probe.target).member("address", probe.address);
        row.member("verdict", nameOf(probe.verdict)).member("result", probe.result);
        if (probe.time) writeNumber(row, "microseconds", static_cast<std::uint64_t>(probe.time->count()));
      });
    });
    writeStrings(writer, "problems", attachments.problems);
  });
}

Cell resultCell(const json::Value& row) {
  const std::string verdict = plainText(row["verdict"]);
  Colour colour = Colour::None;
  if (verdict == nameOf(Verdict::Answered)) colour = Colour::Good;
  if (verdict == nameOf(Verdict::Fault)) colour = Colour::Bad;
  return {plainText(row["result"]), colour};
}

std::string viewOf(const json::Value& root, const Terminal& terminal) {
  const std::vector<ReportColumn> columns{
      {"TARGET", cellOf("target")}, {"ADDRESS", cellOf("address")}, {"RESULT", resultCell, Column::Fit::Wrap}};
  const std::vector<json::Value> attachments = root["attachments"].items();
  std::string text;
  for (const json::Value& attachment : attachments) {
    if (!text.empty()) text += "\n";
    text += paragraph(attachmentIn(attachment, idLengthIn(attachments, terminal)), 0, terminal);
    text += tableOf(attachment["probes"].items(), columns, terminal);
  }
  const bool isNothing = text.empty() && root["problems"].items().empty();
  return isNothing ? "Nothing to probe: neither addresses nor published ports.\n" : text;
}

bool isFaulty(const ProbedAttachment& attachment) {
  return std::ranges::any_of(attachment.probes, [](const Probed& one) { return one.verdict == Verdict::Fault; });
}

}  // namespace

std::string_view nameOf(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames{"answered", "denied", "fault", "unproved"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

netlib::Result<Answer> probe(const Arguments& arguments) {
  const auto attachments = TRY(collect(arguments));
  const bool isFine = attachments.problems.empty() && std::ranges::none_of(attachments.all, isFaulty);
  return answer(arguments, documentOf(attachments), viewOf, isFine ? 0 : kFailed, attachments.problems);
}

}  // namespace pons::ctl
