#include "plugin/ctl/list.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

#include "netlib/base/text.h"

#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/networks.h"

namespace pons::ctl {

namespace {

using ListColumn = ColumnOf<Interface>;

ListColumn ofFirst(const std::string& title, const std::string& member, Column::Fit fit, unsigned importance) {
  return {title, [member](const Interface& one) { return Cell{plainText(one.first[member])}; }, fit, false, importance};
}

/// Where there are pods, a container's ID is less important.
std::vector<ListColumn> columnsFor(bool anyPod, bool allPods) {
  using enum Column::Fit;
  std::vector<ListColumn> columns{ofFirst("NETWORK", "network", Whole, 0)};
  if (anyPod) columns.push_back(ofFirst("POD", "pod", Whole, 0));
  columns.push_back(ofFirst("CONTAINER", "container", Shorten, allPods ? 1 : 0));
  columns.push_back(ofFirst("INTERFACE", "interface", Whole, 2));
  columns.push_back({"ADDRESSES", [](const Interface& one) { return Cell{joined(one.addresses)}; }, Wrap});
  columns.push_back({"PORTS", [](const Interface& one) { return Cell{joined(one.ports)}; }, Wrap});
  columns.push_back({"AGE", [](const Interface& one) { return Cell{ageIn(one.first)}; }, Whole, true, 3});
  columns.push_back({"HEALTH", [](const Interface& one) {
                       return Cell{std::string{nameOf(one.health)}, colourOf(one.health)};
                     }});
  return columns;
}

std::string sortKey(const Interface& one, const ListColumn& column) {
  if (column.title == "AGE") return plainText(one.first["ageSeconds"]);
  if (column.title != "HEALTH") return column.cell(one).text;
  const int inProgress = one.health == Health::Ok ? 2 : 1;
  return std::to_string(isBad(one.health) ? 0 : inProgress);
}

/// Rows without a value are last.
void sortBy(std::vector<Interface>& interfaces, const ListColumn& column) {
  std::vector<std::pair<std::string, Interface>> keyed;
  for (Interface& one : interfaces) keyed.emplace_back(sortKey(one, column), std::move(one));
  std::ranges::stable_sort(keyed, [](const auto& a, const auto& b) {
    if (a.first.empty() || b.first.empty()) return !a.first.empty();
    return strverscmp(a.first.c_str(), b.first.c_str()) < 0;
  });
  interfaces.clear();
  for (auto& [key, one] : keyed) interfaces.push_back(std::move(one));
}

/// All attachments of the chosen interfaces.
void filter(std::vector<AttachmentStatus>& statuses, const Arguments& arguments) {
  const auto interfaceOf = [](const AttachmentStatus& one) {
    return std::tuple{one.key.network, one.key.container, one.key.ifName};
  };
  std::set<std::tuple<NetworkName, ContainerId, netlib::IfName>> chosen;
  for (const AttachmentStatus& one : statuses) {
    const bool isOfNetwork = arguments.network.empty() || one.key.network.toString() == arguments.network;
    if (isOfNetwork && (!arguments.onlyBroken || isBad(one.health))) chosen.insert(interfaceOf(one));
  }
  std::erase_if(statuses, [&](const AttachmentStatus& one) { return !chosen.contains(interfaceOf(one)); });
}

std::string nothingFor(const Arguments& arguments) {
  const std::string faults = arguments.onlyBroken ? " with faults" : "";
  const std::string network = arguments.network.empty() ? "" : " of network " + arguments.network;
  return "no attachments" + faults + network + absenceOf(arguments) + "\n";
}

}  // namespace

std::vector<std::string> listColumns() {
  std::vector<std::string> names;
  for (const ListColumn& column : columnsFor(true, true)) names.push_back(netlib::lowerCase(column.title));
  return names;
}

std::string listJson(const std::vector<AttachmentStatus>& statuses) {
  return jsonDocument([&](json::Writer& writer) { writeObjects(writer, "attachments", statuses, writeStatus); });
}

std::string listText(const json::Value& root, const Terminal& terminal, const std::string& sort) {
  std::vector<Interface> interfaces = interfacesIn(root["attachments"].items());
  const auto hasPod = [](const Interface& one) { return one.first["pod"].present(); };
  const std::vector<ListColumn> columns =
      columnsFor(std::ranges::any_of(interfaces, hasPod), std::ranges::all_of(interfaces, hasPod));
  for (const ListColumn& column : columns) {
    if (netlib::lowerCase(column.title) == sort) sortBy(interfaces, column);
  }
  const std::size_t bad = countIf(interfaces, [](const Interface& one) { return isBad(one.health); });
  const std::string text = tableOf(interfaces, columns, terminal);
  return bad == 0 ? text : text + "\n" + withFaults(bad, interfaces.size()) + ": run \"ponsctl check\" for details\n";
}

netlib::Result<Answer> list(const Arguments& arguments) {
  if (arguments.networks) return networks(arguments);
  auto statuses = TRY(collectStatus(arguments));
  filter(statuses, arguments);
  if (statuses.empty()) TRY(requireNetwork(arguments));
  return answer(arguments, listJson(statuses), [&arguments](const json::Value& root, const Terminal& terminal) {
    return root["attachments"].items().empty() ? nothingFor(arguments) : listText(root, terminal, arguments.sort);
  });
}

}  // namespace pons::ctl
