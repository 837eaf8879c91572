// The text of ponsctl show.
#include <algorithm>

#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/show.h"

namespace pons::ctl {

namespace {

using enum Column::Fit;

/// The name is printed once.
void addEach(Properties& properties, const std::string& name, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) properties.push_back({texts.front() == text ? name : "", {text}});
}

/// Unless the value is absent.
void addIf(Properties& properties, const std::string& name, const json::Value& value, const std::string& before = "") {
  if (value.present()) properties.push_back({name, {before + plainText(value)}});
}

std::string interfaceText(const json::Value& one) {
  const std::string name = plainText(one["interface"]);
  if (one["plugin"].present()) return name + ", chained plugin " + plainText(one["plugin"]);
  if (!one["hostInterface"].present()) return name;
  return name + ", host side " + plainText(one["hostInterface"]) + " on bridge " + plainText(one["bridge"]);
}

std::vector<std::string> addressesOf(const json::Value& one) {
  std::vector<std::string> texts;
  for (const json::Value& lease : one["addresses"].items()) {
    const json::Value gateway = lease["gateway"];
    texts.push_back(plainText(lease["address"]) + (gateway.present() ? ", gateway " + plainText(gateway) : ""));
  }
  return texts;
}

/// Those of the container's interface; not one of pons, nor link-local: with a remark.
std::vector<std::string> insideOf(const json::Value& one) {
  std::vector<std::string> own;
  for (const json::Value& lease : one["addresses"].items()) own.push_back(plainText(lease["address"]));
  const bool isDropped = parseSpoofGuard(plainText(one["record"]["guard"])) == SpoofGuard::Address;
  std::vector<std::string> texts;
  for (const json::Value& inside : one["containerAddresses"].items()) {
    const std::string text = plainText(inside);
    const auto address = netlib::IpPrefix::parse(text);
    const bool isOwn = std::ranges::find(own, text) != own.end() || (address && address->address().isLinkLocal());
    const std::string remark = isDropped ? " (not of pons: the spoof guard drops its packets)" : " (not of pons)";
    texts.push_back(text + (isOwn ? "" : remark));
  }
  return texts;
}

std::string rateOf(const json::Value& limit) {
  return std::to_string(numberIn(limit["rate"]) / 1000) + " kbit/s, burst " + textOfBytes(numberIn(limit["burst"]) / 8);
}

std::vector<std::string> egressOf(const json::Value& policy) {
  std::string ports;
  for (const json::Value& port : policy["tcpPorts"].items()) ports += ", tcp " + plainText(port);
  for (const json::Value& port : policy["udpPorts"].items()) ports += ", udp " + plainText(port);
  std::vector<std::string> texts;
  const std::string destinations = plainText(policy["destinations"]);
  const std::string servers = plainText(policy["nameservers"]);
  if (!destinations.empty()) texts.push_back("to " + destinations + ports);
  if (!servers.empty()) texts.push_back("DNS to " + servers);
  if (texts.empty()) texts.emplace_back("denied");
  return texts;
}

/// Of the ports with "allowFrom".
std::vector<std::string> clientsOf(const json::Value& one) {
  std::vector<std::string> texts;
  for (const json::Value& port : one["ports"].items()) {
    if (!port["allowFrom"].present()) continue;
    const auto at = netlib::IpAddress::parse(plainText(port["hostAddress"]));
    addNew(texts, "port " + plainText(port["hostPort"]) + "/" + plainText(port["protocol"]) +
                      (at && !at->isUnspecified() ? " at " + at->toString() : "") + " from " +
                      plainText(port["allowFrom"]));
  }
  return texts;
}

void addSettings(Properties& properties, const json::Value& record) {
  addIf(properties, "addresses", record["hostLocalDir"], "also recorded by host-local in ");
  addIf(properties, "addresses", record["delegated"]["type"], "assigned by the IPAM plugin ");
  if (isTrue(record["isolated"])) {
    properties.push_back({"port isolation", {"no traffic to other isolated ports of the bridge"}});
  }
  addIf(properties, "ingress", record["ingress"]);
  if (const json::Value guard = record["guard"]; guard.present()) {
    properties.push_back({"spoof guard", {plainText(guard) == "mac" ? "on (MAC)" : "on (MAC and IP)"}});
  }
  if (record["egress"].present()) addEach(properties, "egress", egressOf(record["egress"]));
  for (const char* direction : {"ingress", "egress"}) {
    const json::Value limit = record["bandwidth"][direction];
    if (limit.present()) properties.push_back({direction + std::string{" rate"}, {rateOf(limit)}});
  }
}

std::string headText(const json::Value& one, const Terminal& terminal) {
  Properties properties;
  addIf(properties, "pod", one["pod"]);
  addIf(properties, "container", one["container"]);
  addIf(properties, "network", one["network"]);
  properties.push_back({"interface", {interfaceText(one)}});
  const Health health = healthNamed(plainText(one["health"]));
  properties.push_back({"health", {std::string{nameOf(health)}, colourOf(health)}});
  for (const json::Value& fault : one["faults"].items()) {
    properties.push_back({isTrue(fault["shared"]) ? "fault, shared" : "fault", {withRemedy(fault)}});
  }
  if (const std::string age = ageIn(one); !age.empty()) properties.push_back({"age", {age}});
  addIf(properties, "namespace", one["netns"]);
  addEach(properties, "address", addressesOf(one));
  addEach(properties, "port", portsIn(one));
  addEach(properties, "allowed", clientsOf(one));
  if (const std::string servers = plainText(one["nameservers"]); !servers.empty()) {
    properties.push_back({"DNS", {servers}});
  }
  addSettings(properties, one["record"]);
  if (const json::Value denied = one["egressDenied"]; denied.present()) {
    properties.push_back({"denied",
                          {counted(numberIn(denied["packets"]), "packet") + " (" +
                           textOfBytes(numberIn(denied["bytes"])) + ") by the egress policy"}});
  }
  return propertiesText(properties, terminal);
}

Cell linkState(const json::Value& link) {
  if (!isTrue(link["present"])) return {"missing", Colour::Bad};
  return isTrue(link["up"]) ? Cell{"up", Colour::Good} : Cell{"down", Colour::Bad};
}

ReportColumn bytesColumn(const std::string& title, const std::string& member) {
  return {title, [member](const json::Value& row) { return Cell{textOfBytes(numberIn(row[member]))}; }, Whole, true};
}

std::string linksText(const std::vector<json::Value>& links, const Terminal& terminal) {
  std::vector<json::Value> present = links;
  std::erase_if(present, [](const json::Value& link) { return !isTrue(link["present"]); });
  const std::string states = tableOf(links,
                                     {{"LINK", cellOf("name")},
                                      {"WHERE", cellOf("where")},
                                      {"STATE", linkState},
                                      {"MTU", cellOf("mtu"), Whole, true},
                                      {"MAC", cellOf("mac")}},
                                     terminal);
  if (present.empty()) return states;
  return states + "\n" +
         tableOf(present,
                 {{"LINK", cellOf("name")},
                  bytesColumn("RECEIVED", "receivedBytes"),
                  {"PACKETS", cellOf("receivedPackets"), Whole, true},
                  {"DROPPED", cellOf("receivedDropped"), Whole, true},
                  bytesColumn("SENT", "sentBytes"),
                  {"PACKETS", cellOf("sentPackets"), Whole, true},
                  {"DROPPED", cellOf("sentDropped"), Whole, true}},
                 terminal);
}

/// A number that is not 0.
std::function<Cell(const json::Value&)> numberCell(const std::string& member) {
  return [member](const json::Value& row) { return Cell{numberIn(row[member]) == 0 ? "" : plainText(row[member])}; };
}

Cell ruleState(const json::Value& rule) {
  return isTrue(rule["present"]) ? Cell{"present", Colour::Good} : Cell{"missing", Colour::Bad};
}

/// After an empty line; nothing without rows.
std::string section(const std::vector<json::Value>& rows, const std::vector<ReportColumn>& columns,
                    const Terminal& terminal) {
  return rows.empty() ? "" : "\n" + tableOf(rows, columns, terminal);
}

std::string textOf(const json::Value& one, const Terminal& terminal) {
  std::string text = headText(one, terminal);
  if (!one["record"].present()) return text;
  text += "\n" + linksText(one["links"].items(), terminal);
  if (const std::string addresses = joined(insideOf(one)); !addresses.empty()) {
    text += "\nADDRESSES IN THE CONTAINER\n" + paragraph(addresses, 0, terminal);
  }
  std::vector<json::Value> routes = one["routes"].items();
  std::ranges::stable_partition(
      routes, [](const json::Value& route) { return plainText(route["destination"]).ends_with("/0"); });
  text += section(routes,
                  {{"ROUTE IN THE CONTAINER", cellOf("destination")},
                   {"GATEWAY", cellOf("gateway")},
                   {"METRIC", numberCell("metric"), Whole, true},
                   {"MTU", numberCell("mtu"), Whole, true}},
                  terminal);
  text += section(one["rules"].items(),
                  {{"TABLE", cellOf("table")},
                   {"WHERE", cellOf("place"), Wrap},
                   {"RULE", cellOf("rule"), Wrap},
                   {"STATE", ruleState}},
                  terminal);
  return text + section(one["holds"].items(),
                        {{"SHARED STATE", cellOf("name"), Wrap}, {"REFERENCES", cellOf("holders"), Whole, true}},
                        terminal);
}

}  // namespace

std::string showText(const json::Value& root, const Terminal& terminal) {
  std::string text;
  for (const json::Value& one : root["attachments"].items()) {
    text += (text.empty() ? "" : "\n") + textOf(one, terminal);
  }
  return text;
}

}  // namespace pons::ctl
