#include "plugin/ctl/probe.h"

#include <algorithm>

#include "plugin/cni/dns.h"
#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/report.h"
#include "plugin/ctl/show.h"
#include "plugin/engine/inspection.h"

namespace pons::ctl {

using netlib::IpAddress;

namespace {

struct ProbedAttachment {
  Attachment attachment;
  std::vector<Probed> probes;
};

/// Of the network's configuration.
std::vector<IpAddress> configuredNameservers(const NetworkName& network, const Arguments& arguments) {
  for (const NetworkConf& conf : readConfDirectory(arguments.configDir).networks) {
    if (conf.name != network.toString()) continue;
    for (const PluginConf& plugin : conf.plugins) {
      if (!appletFor(plugin.type)) continue;
      const auto request = exampleAdd(plugin, arguments.stateDir);
      if (request && !request->config.dns.nameservers.empty()) return request->config.dns.nameservers;
    }
  }
  return {};
}

/// Of the resolv.conf on record, else of the configuration, else those that the egress policy lets pass.
std::vector<IpAddress> nameserversOf(const Attachment& attachment, const Arguments& arguments) {
  if (attachment.resolvConf) return cni::parseResolvConf(attachment.resolvConf->content).nameservers;
  if (attachment.leases.empty()) return {};
  auto configured = configuredNameservers(attachment.key.network, arguments);
  if (!configured.empty() || !attachment.egress) return configured;
  return attachment.egress->nameservers;
}

netlib::Result<std::vector<ProbedAttachment>> collect(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  if (!host) return netlib::fail(netlib::Cause::Missing, "no attachments are recorded in " + arguments.stateDir);
  std::vector<ProbedAttachment> probed;
  for (const AttachmentKey& key : TRY(attachmentsNamed(*host, arguments.subject))) {
    const auto record = TRY(host->ledger.snapshot(key));
    if (!record) continue;
    const Attachment& attachment = record->attachment;
    TRY(enterContainer(*host, attachment));
    auto probes = probesOf(*host, attachment, nameserversOf(attachment, arguments), arguments.timeout);
    if (!probes.empty()) probed.push_back({attachment, std::move(probes)});
  }
  return probed;
}

std::string documentOf(const std::vector<ProbedAttachment>& attachments) {
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "attachments", attachments, [](json::Writer& to, const ProbedAttachment& one) {
      writeKey(to, one.attachment.key, one.attachment.pod);
      writeObjects(to, "probes", one.probes, [](json::Writer& row, const Probed& probe) {
        row.member("target", probe.target).member("address", probe.address);
        row.member("verdict", nameOf(probe.verdict)).member("result", probe.result);
        if (probe.time) writeNumber(row, "microseconds", static_cast<std::uint64_t>(probe.time->count()));
      });
    });
  });
}

Cell resultCell(const json::Value& row) {
  const std::string_view verdict = row["verdict"].string().value_or("");
  Colour colour = Colour::None;
  if (verdict == nameOf(Verdict::Answered)) colour = Colour::Good;
  if (verdict == nameOf(Verdict::Fault)) colour = Colour::Bad;
  return {std::string{row["result"].string().value_or("")}, colour};
}

std::string viewOf(const json::Value& root, const Terminal& terminal) {
  const std::vector<ReportColumn> columns{
      {"TARGET", cellOf("target")}, {"ADDRESS", cellOf("address")}, {"RESULT", resultCell, Column::Fit::Wrap}};
  std::string text;
  for (const json::Value& attachment : root["attachments"].items()) {
    if (!text.empty()) text += "\n";
    text += attachmentIn(attachment) + "\n";
    text += tableOf(attachment["probes"].items(), columns, terminal);
  }
  return text.empty() ? "Nothing to probe: neither addresses nor published ports.\n" : text;
}

bool isFaulty(const ProbedAttachment& attachment) {
  return std::ranges::any_of(attachment.probes, [](const Probed& one) { return one.verdict == Verdict::Fault; });
}

}  // namespace

std::string_view nameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::Answered:
      return "answered";
    case Verdict::Denied:
      return "denied";
    case Verdict::Fault:
      return "fault";
    case Verdict::Unproved:
      return "unproved";
  }
  return {};
}

Answer probe(const Arguments& arguments) {
  const auto attachments = collect(arguments);
  if (!attachments) return failure("probe", attachments.error());
  const int exitCode = std::ranges::any_of(*attachments, isFaulty) ? kFailed : 0;
  return answer(arguments, documentOf(*attachments), viewOf, exitCode);
}

}  // namespace pons::ctl
