#include "plugin/ctl/networks.h"

#include <algorithm>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

namespace {

constexpr netlib::Uint128 kMaxNumber = INT64_MAX;

/// Limited to 2^63 - 1, the range of JSON integers.
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

/// One row per pool; the first has the columns of the network.
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
    const std::string ipam = network.ipam.empty() ? "no addresses" : "assigned by " + network.ipam;
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

void writePool(json::Writer& writer, const Pool& pool) {
  writer.member("ranges", pool.ranges).member("size", numberOf(pool.size));
  writer.member("used", numberOf(pool.used)).member("free", numberOf(pool.free()));
}

void writeNetwork(json::Writer& writer, const NetworkState& network) {
  writer.member("network", network.name).member("bridge", network.bridge);
  if (network.ports) writeNumber(writer, "ports", *network.ports);
  writeNumber(writer, "maxPorts", kMaxPorts);
  writeNumber(writer, "attachments", network.attachments);
  if (!network.ipam.empty()) writer.member("ipam", network.ipam);
  if (!network.origin.empty()) writer.member("file", network.origin);
  writeObjects(writer, "pools", network.pools, writePool);
}

}  // namespace

std::string networksText(const std::vector<NetworkState>& networks, const Terminal& terminal) {
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
  return table.text(terminal);
}

std::string networksJson(const std::vector<NetworkState>& networks) {
  return jsonDocument([&](json::Writer& writer) { writeObjects(writer, "networks", networks, writeNetwork); });
}

Answer networks(const Arguments& arguments) {
  const auto found = networksOf(arguments);
  if (!found) return failure("networks", found.error());
  return {0, arguments.json ? networksJson(found->all) : networksText(found->all, arguments.terminal),
          linesOf("networks", found->problems)};
}

}  // namespace pons::ctl
