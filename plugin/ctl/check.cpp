#include "plugin/ctl/check.h"

#include <algorithm>
#include <set>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/item_json.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

/// A shared state that is broken, and whose it is.
struct SharedFault {
  const Fault* fault;
  std::vector<const AttachmentKey*> holders;
};

std::vector<SharedFault> sharedFaultsOf(const std::vector<Item>& stock) {
  std::vector<SharedFault> shared;
  for (const Item& item : stock) {
    for (const Fault& fault : item.faults) {
      if (fault.sharedState.empty()) continue;
      auto known = std::ranges::find_if(shared, [&](const SharedFault& other) { return *other.fault == fault; });
      if (known == shared.end()) known = shared.insert(shared.end(), {&fault, {}});
      known->holders.push_back(&item.key);
    }
  }
  return shared;
}

bool hasSharedFault(const Item& item) {
  return std::ranges::any_of(item.faults, [](const Fault& fault) { return !fault.sharedState.empty(); });
}

Row rowOf(const AttachmentKey& key, const std::string& what) {
  std::string interface = key.ifName.toString();
  if (key.plugin != ChainedPlugin::None) interface += " " + std::string{nameOf(key.plugin)};
  return {{key.network.toString()}, {key.container.toString()}, {interface}, {what}};
}

Row rowOf(const SharedFault& shared) {
  if (shared.holders.size() == 1) return rowOf(*shared.holders.front(), shared.fault->what);
  std::set<std::string> networks;
  for (const AttachmentKey* holder : shared.holders) networks.insert(holder->network.toString());
  const std::string who = networks.size() == 1 ? *networks.begin() : counted(networks.size(), "network");
  return {{who}, {counted(shared.holders.size(), "attachment")}, {""}, {shared.fault->what}};
}

bool hasAny(const std::vector<Item>& stock, std::initializer_list<Health> kinds) {
  return std::ranges::any_of(stock,
                             [&](const Item& item) { return std::ranges::find(kinds, item.health) != kinds.end(); });
}

std::string remediesFor(const std::vector<Item>& stock) {
  std::string text;
  if (std::ranges::any_of(stock, hasSharedFault)) {
    text += "What stands on a broken shared state is not listed; --json tells it, too.\n";
  }
  if (hasAny(stock, {Health::Broken})) text += "\"pons repair\" brings back what others took away.\n";
  if (hasAny(stock, {Health::Gone, Health::HalfMade, Health::HalfGone})) {
    text += "\"pons gc --delete\" takes away what dead containers and verbs left.\n";
  }
  if (hasAny(stock, {Health::Unreadable})) {
    text += "A record that cannot be read comes back by a DEL and a new ADD of its container.\n";
  }
  return text;
}

std::size_t countBad(const std::vector<Item>& stock) {
  return static_cast<std::size_t>(std::ranges::count_if(stock, [](const Item& item) { return isBad(item.health); }));
}

}  // namespace

std::string checkText(const std::vector<Item>& stock, const Screen& screen) {
  if (stock.empty()) return "no attachments\n";
  const std::size_t bad = countBad(stock);
  if (bad == 0) return counted(stock.size(), "attachment") + ", nothing is missing\n";

  using enum Column::Fit;
  Table table{{{"NETWORK"}, {"CONTAINER", Shorten}, {"INTERFACE"}, {"BROKEN", Wrap}}};
  for (const SharedFault& shared : sharedFaultsOf(stock)) table.add(rowOf(shared));
  for (const Item& item : stock) {
    if (hasSharedFault(item)) continue;
    for (const Fault& fault : item.faults) table.add(rowOf(item.key, fault.what));
  }
  return table.text(screen) + "\n" + std::to_string(bad) + " of " + counted(stock.size(), "attachment") +
         (bad == 1 ? " is" : " are") + " not well.\n" + remediesFor(stock);
}

std::string checkJson(const std::vector<Item>& stock) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().member("attachments", static_cast<std::int64_t>(stock.size())).key("broken").beginArray();
  for (const Item& item : stock) {
    if (!isBad(item.health)) continue;
    writer.beginObject();
    writeItem(writer, item);
    writer.endObject();
  }
  writer.endArray().endObject();
  return writer.text() + "\n";
}

Answer check(const Arguments& arguments) {
  const auto stock = takeStock(arguments);
  if (!stock) return failure("check", stock.error());
  const int exitCode = countBad(*stock) == 0 ? 0 : kFailed;
  return {exitCode, arguments.json ? checkJson(*stock) : checkText(*stock, arguments.screen), {}};
}

}  // namespace pons::tools
