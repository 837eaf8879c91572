#include "plugin/ctl/networks.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

constexpr netlib::Uint128 kMaxNumber = INT64_MAX;

/// As near as JSON's readers can tell.
std::int64_t numberOf(netlib::Uint128 count) { return static_cast<std::int64_t>(std::min(count, kMaxNumber)); }

Cell portsCell(const NetworkState& network) {
  if (!network.ports) return {"no bridge", Colour::Faint};
  const bool full = *network.ports >= kMaxPorts;
  return {std::to_string(*network.ports) + "/" + std::to_string(kMaxPorts), full ? Colour::Bad : Colour::None};
}

Cell freeCell(const Pool& pool) {
  const bool scarce = pool.free() < pool.size / 10;
  const Colour plenty = scarce ? Colour::Busy : Colour::None;
  return {textOfCount(pool.free()), pool.free() == 0 ? Colour::Bad : plenty};
}

std::string originOf(const NetworkState& network) {
  return network.origin.empty() ? "records" : network.origin.substr(network.origin.rfind('/') + 1);
}

/// One a pool; what is the network's stands in the first.
std::vector<Row> rowsOf(const NetworkState& network) {
  std::vector<Row> rows;
  for (const Pool& pool : network.pools) {
    rows.push_back({{""},
                    {""},
                    {""},
                    {""},
                    {pool.ranges},
                    {textOfCount(pool.size)},
                    {textOfCount(pool.used)},
                    freeCell(pool),
                    {""}});
  }
  if (rows.empty()) {
    const std::string ipam = network.ipam.empty() ? "no addresses" : "given by " + network.ipam;
    rows.push_back({{""}, {""}, {""}, {""}, {ipam}, {""}, {""}, {""}, {""}});
  }
  Row& first = rows.front();
  first[0] = {network.name};
  first[1] = {network.bridge};
  first[2] = portsCell(network);
  first[3] = {std::to_string(network.attachments)};
  first[8] = {originOf(network)};
  return rows;
}

void writeNetwork(json::Writer& writer, const NetworkState& network) {
  writer.beginObject().member("network", network.name).member("bridge", network.bridge);
  if (network.ports) writer.member("ports", static_cast<std::int64_t>(*network.ports));
  writer.member("maxPorts", static_cast<std::int64_t>(kMaxPorts));
  writer.member("attachments", static_cast<std::int64_t>(network.attachments));
  if (!network.ipam.empty()) writer.member("ipam", network.ipam);
  if (!network.origin.empty()) writer.member("file", network.origin);
  writer.key("pools").beginArray();
  for (const Pool& pool : network.pools) {
    writer.beginObject().member("ranges", pool.ranges).member("size", numberOf(pool.size));
    writer.member("used", numberOf(pool.used)).member("free", numberOf(pool.free())).endObject();
  }
  writer.endArray().endObject();
}

}  // namespace

std::string networksText(const std::vector<NetworkState>& networks, const Screen& screen) {
  if (networks.empty()) return "no networks\n";
  using enum Column::Fit;
  Table table{{{"NETWORK"},
               {"BRIDGE"},
               {"PORTS", Whole, true},
               {"USERS", Whole, true},
               {"POOL", Wrap},
               {"SIZE", Whole, true},
               {"USED", Whole, true},
               {"FREE", Whole, true},
               {"FROM", Wrap}}};
  for (const NetworkState& network : networks) {
    for (Row& row : rowsOf(network)) table.add(std::move(row));
  }
  return table.text(screen);
}

std::string networksJson(const std::vector<NetworkState>& networks) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("networks").beginArray();
  for (const NetworkState& network : networks) writeNetwork(writer, network);
  writer.endArray().endObject();
  return writer.text() + "\n";
}

Answer networks(const Arguments& arguments) {
  const auto found = networksOf(arguments);
  if (!found) return failure("networks", found.error());
  std::string problems;
  for (const std::string& problem : found->problems) problems += "pons networks: " + netlib::printable(problem) + "\n";
  return {0, arguments.json ? networksJson(found->all) : networksText(found->all, arguments.screen), problems};
}

}  // namespace pons::tools
