#include "plugin/ctl/networks.h"

#include <algorithm>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"

namespace pons::ctl {

namespace {

/// The range of JSON integers; larger numbers are limited to it.
constexpr std::uint64_t kMaxNumber = INT64_MAX;

void writeCount(json::Writer& writer, std::string_view name, netlib::Uint128 count) {
  writeNumber(writer, name, static_cast<std::uint64_t>(std::min(count, netlib::Uint128{kMaxNumber})));
}

/// A line of the table: one pool of a network, whose first line has its other columns.
struct PoolRow {
  json::Value network;
  json::Value pool;
  bool isFirst;
};

std::vector<PoolRow> rowsOf(const std::vector<json::Value>& networks) {
  std::vector<PoolRow> rows;
  for (const json::Value& network : networks) {
    rows.push_back({network, {}, true});
    for (const json::Value& pool : network["pools"].items()) {
      if (rows.back().pool.present()) rows.push_back({network, {}, false});
      rows.back().pool = pool;
    }
  }
  return rows;
}

Cell portsCell(const json::Value& network) {
  if (!network["ports"].present()) return {"no bridge", Colour::Faint};
  const bool full = numberIn(network["ports"]) >= numberIn(network["maxPorts"]);
  return {plainText(network["ports"]) + "/" + plainText(network["maxPorts"]), full ? Colour::Bad : Colour::None};
}

Cell originCell(const json::Value& network) {
  const std::string file = plainText(network["file"]);
  return {file.empty() ? "records" : file.substr(file.rfind('/') + 1)};
}

Cell poolCell(const PoolRow& row) {
  if (row.pool.present()) return {plainText(row.pool["ranges"])};
  const std::string ipam = plainText(row.network["ipam"]);
  return {ipam.empty() ? "no addresses" : "assigned by " + ipam};
}

std::string countIn(const json::Value& value) {
  const std::uint64_t count = numberIn(value);
  return (count == kMaxNumber ? "≥" : "") + textOfCount(count);
}

Cell freeCell(const PoolRow& row) {
  const std::uint64_t free = numberIn(row.pool["free"]);
  const Colour plenty = free < numberIn(row.pool["size"]) / 10 ? Colour::Busy : Colour::None;
  return {countIn(row.pool["free"]), free == 0 ? Colour::Bad : plenty};
}

using NetworkColumn = ColumnOf<PoolRow>;

NetworkColumn ofNetwork(const std::string& title, const std::function<Cell(const json::Value&)>& cell,
                        Column::Fit fit = Column::Fit::Whole, bool right = false, unsigned importance = 0) {
  const auto first = [cell](const PoolRow& row) { return row.isFirst ? cell(row.network) : Cell{}; };
  return {title, first, fit, right, importance};
}

NetworkColumn ofPool(const std::string& title, const std::function<Cell(const PoolRow&)>& cell,
                     unsigned importance = 0) {
  const auto ifAny = [cell](const PoolRow& row) { return row.pool.present() ? cell(row) : Cell{}; };
  return {title, ifAny, Column::Fit::Whole, true, importance};
}

void writePool(json::Writer& writer, const Pool& pool) {
  writer.member("ranges", pool.ranges);
  writeCount(writer, "size", pool.size);
  writeCount(writer, "used", pool.used);
  writeCount(writer, "free", pool.free());
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

std::string networksJson(const std::vector<NetworkState>& networks) {
  return jsonDocument([&](json::Writer& writer) { writeObjects(writer, "networks", networks, writeNetwork); });
}

std::string networksText(const json::Value& root, const Terminal& terminal) {
  const std::vector<PoolRow> rows = rowsOf(root["networks"].items());
  if (rows.empty()) return "no networks\n";
  using enum Column::Fit;
  const auto count = [](const char* member) {
    return [member](const PoolRow& row) { return Cell{countIn(row.pool[member])}; };
  };
  return tableOf(rows,
                 {ofNetwork("NETWORK", cellOf("network")),
                  ofNetwork("BRIDGE", cellOf("bridge")),
                  ofNetwork("PORTS", portsCell, Whole, true),
                  ofNetwork("USERS", cellOf("attachments"), Whole, true),
                  {"POOL", poolCell, Wrap},
                  ofPool("SIZE", count("size")),
                  ofPool("USED", count("used"), 1),
                  ofPool("FREE", freeCell),
                  ofNetwork("FROM", originCell, Wrap, false, 2)},
                 terminal);
}

netlib::Result<Answer> networks(const Arguments& arguments) {
  auto found = TRY(networksOf(arguments));
  std::erase_if(found.all, [&](const NetworkState& network) {
    return !arguments.network.empty() && network.name != arguments.network;
  });
  return answer(arguments, networksJson(found.all), networksText, 0, found.problems);
}

}  // namespace pons::ctl
