// What pons show prints for programs.
#include "plugin/ctl/item_json.h"
#include "plugin/ctl/show.h"
#include "plugin/json/json.h"

namespace pons::tools {

namespace {

void writeCount(json::Writer& writer, std::string_view name, std::uint64_t count) {
  writer.member(name, static_cast<std::int64_t>(count));
}

void writeLink(json::Writer& writer, const LinkFact& fact) {
  writer.beginObject().member("name", fact.name).member("where", fact.where).member("present", fact.link.has_value());
  if (fact.link) {
    writer.member("up", fact.link->up()).member("mtu", fact.link->mtu);
    if (fact.link->mac) writer.member("mac", fact.link->mac->toString());
    writeCount(writer, "receivedBytes", fact.statistics.receivedBytes);
    writeCount(writer, "receivedPackets", fact.statistics.receivedPackets);
    writeCount(writer, "receivedDropped", fact.statistics.receivedDropped);
    writeCount(writer, "sentBytes", fact.statistics.sentBytes);
    writeCount(writer, "sentPackets", fact.statistics.sentPackets);
    writeCount(writer, "sentDropped", fact.statistics.sentDropped);
  }
  writer.endObject();
}

void writeRoute(json::Writer& writer, const RouteFact& route) {
  writer.beginObject().member("destination", route.destination);
  if (!route.gateway.empty()) writer.member("gateway", route.gateway);
  writer.member("metric", route.metric).member("mtu", route.mtu).endObject();
}

void writeRule(json::Writer& writer, const RuleFact& rule) {
  writer.beginObject().member("table", rule.table).member("place", rule.place);
  writer.member("rule", rule.rule).member("present", rule.present).endObject();
}

void writeHold(json::Writer& writer, const HoldFact& hold) {
  writer.beginObject().member("name", hold.name);
  writeCount(writer, "holders", hold.holders);
  writer.endObject();
}

template <class Fact>
void writeAll(json::Writer& writer, std::string_view name, const std::vector<Fact>& facts,
              void (*write)(json::Writer& writer, const Fact& fact)) {
  writer.key(name).beginArray();
  for (const Fact& fact : facts) write(writer, fact);
  writer.endArray();
}

}  // namespace

std::string showJson(const std::vector<Shown>& shown) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("attachments").beginArray();
  for (const Shown& one : shown) {
    writer.beginObject();
    writeItem(writer, one.item);
    writer.key("containerAddresses").beginArray();
    for (const std::string& address : one.facts.addresses) writer.value(address);
    writer.endArray();
    writeAll(writer, "links", one.facts.links, writeLink);
    writeAll(writer, "routes", one.facts.routes, writeRoute);
    writeAll(writer, "rules", one.facts.rules, writeRule);
    writeAll(writer, "holds", one.facts.holds, writeHold);
    if (one.facts.denied) {
      writer.key("egressDenied").beginObject();
      writeCount(writer, "packets", one.facts.denied->packets);
      writeCount(writer, "bytes", one.facts.denied->bytes);
      writer.endObject();
    }
    writer.endObject();
  }
  writer.endArray().endObject();
  return writer.text() + "\n";
}

}  // namespace pons::tools
