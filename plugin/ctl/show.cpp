#include "plugin/ctl/show.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/nameservers.h"
#include "plugin/ledger/record.h"

namespace pons::ctl {

namespace {

void writeLink(json::Writer& writer, const LinkFact& fact) {
  writer.member("name", fact.name).member("where", fact.where).member("present", fact.link.has_value());
  if (!fact.link) return;
  writer.member("up", fact.link->up()).member("mtu", fact.link->mtu);
  if (fact.link->mac) writer.member("mac", fact.link->mac->toString());
  writeNumber(writer, "receivedBytes", fact.statistics.receivedBytes);
  writeNumber(writer, "receivedPackets", fact.statistics.receivedPackets);
  writeNumber(writer, "receivedDropped", fact.statistics.receivedDropped);
  writeNumber(writer, "sentBytes", fact.statistics.sentBytes);
  writeNumber(writer, "sentPackets", fact.statistics.sentPackets);
  writeNumber(writer, "sentDropped", fact.statistics.sentDropped);
}

void writeRoute(json::Writer& writer, const RouteFact& route) {
  writer.member("destination", route.destination);
  if (!route.gateway.empty()) writer.member("gateway", route.gateway);
  writer.member("metric", route.metric).member("mtu", route.mtu);
}

void writeRule(json::Writer& writer, const RuleFact& rule) {
  writer.member("table", rule.table).member("place", rule.place);
  writer.member("rule", rule.rule).member("present", rule.present);
}

void writeReference(json::Writer& writer, const ReferenceFact& reference) {
  writer.member("name", reference.sharedState);
  writeNumber(writer, "holders", reference.count);
}

void writeShown(json::Writer& writer, const Shown& one) {
  writeStatus(writer, one.status);
  if (one.status.attachment) {
    writer.key("record").beginObject();
    writeFields(writer, *one.status.attachment);
    writer.endObject();
  }
  writeStrings(writer, "nameservers", textsOf(one.nameservers));
  writeStrings(writer, "containerAddresses", one.facts.addresses);
  writeObjects(writer, "links", one.facts.links, writeLink);
  writeObjects(writer, "routes", one.facts.routes, writeRoute);
  writeObjects(writer, "rules", one.facts.rules, writeRule);
  writeObjects(writer, "holds", one.facts.references, writeReference);
  if (!one.facts.denied) return;
  writer.key("egressDenied").beginObject();
  writeNumber(writer, "packets", one.facts.denied->packets);
  writeNumber(writer, "bytes", one.facts.denied->bytes);
  writer.endObject();
}

netlib::Result<std::vector<Shown>> collect(const Arguments& arguments) {
  Host host = TRY(requireHost(arguments));
  const std::vector<AttachmentKey> keys = TRY(attachmentsNamed(host, arguments.subject));
  std::vector<Shown> shown;
  for (AttachmentStatus& status : collectStatus(host, keys)) {
    Shown& one = shown.emplace_back(std::move(status));
    if (!one.status.attachment) continue;
    one.facts = factsOf(host, *one.status.attachment);
    one.nameservers = nameserversOf(*one.status.attachment, arguments);
  }
  return shown;
}

}  // namespace

std::string showJson(const std::vector<Shown>& shown) {
  return jsonDocument([&](json::Writer& writer) { writeObjects(writer, "attachments", shown, writeShown); });
}

netlib::Result<Answer> show(const Arguments& arguments) {
  return answer(arguments, showJson(TRY(collect(arguments))), showText);
}

}  // namespace pons::ctl
