#include "plugin/tools/list.h"

#include <algorithm>

#include "plugin/tools/commands.h"
#include "plugin/tools/common.h"
#include "plugin/tools/item_json.h"
#include "plugin/tools/table.h"
#include "plugin/tools/words.h"

namespace pons::tools {

namespace {

/// What one network did for one interface of a container: to people the parts of a chain are one.
struct Line {
  const Item* first;
  std::vector<std::string> addresses;
  std::vector<std::string> ports;
  Health health;
};

bool isSameInterface(const AttachmentKey& one, const AttachmentKey& other) {
  return one.network == other.network && one.container == other.container && one.ifName == other.ifName;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (std::ranges::find(to, text) == to.end()) to.push_back(text);
  }
}

std::vector<std::string> addressesOf(const Attachment& attachment) {
  std::vector<std::string> addresses;
  for (const Lease& lease : attachment.leases) addresses.push_back(lease.address.address().toString());
  return addresses;
}

std::vector<Line> linesOf(const std::vector<Item>& stock) {
  std::vector<Line> lines;
  for (const Item& item : stock) {
    if (lines.empty() || !isSameInterface(lines.back().first->key, item.key)) {
      lines.push_back({&item, {}, {}, item.health});
    }
    Line& line = lines.back();
    if (isBad(item.health) && !isBad(line.health)) line.health = item.health;
    if (!item.attachment) continue;
    append(line.addresses, addressesOf(*item.attachment));
    append(line.ports, portsOf(item.attachment->forwards));
  }
  return lines;
}

}  // namespace

std::string listText(const std::vector<Item>& stock, const Screen& screen) {
  if (stock.empty()) return "no attachments\n";
  using enum Column::Fit;
  Table table{{{"NETWORK"},
               {"CONTAINER", Shorten},
               {"INTERFACE"},
               {"ADDRESSES", Wrap},
               {"PORTS", Wrap},
               {"AGE", Whole, true},
               {"HEALTH"}}};
  std::size_t bad = 0;
  const std::vector<Line> lines = linesOf(stock);
  for (const Line& line : lines) {
    const AttachmentKey& key = line.first->key;
    if (isBad(line.health)) ++bad;
    table.add({{key.network.toString()},
               {key.container.toString()},
               {key.ifName.toString()},
               {joined(line.addresses)},
               {joined(line.ports)},
               {line.first->age ? textOf(*line.first->age) : ""},
               {std::string{nameOf(line.health)}, colourOf(line.health)}});
  }
  std::string text = table.text(screen);
  if (bad > 0) {
    text += "\n" + std::to_string(bad) + " of " + counted(lines.size(), "attachment") + (bad == 1 ? " is" : " are") +
            " not well: \"pons check\" says why\n";
  }
  return text;
}

std::string listJson(const std::vector<Item>& stock) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("attachments").beginArray();
  for (const Item& item : stock) {
    writer.beginObject();
    writeItem(writer, item);
    writer.endObject();
  }
  writer.endArray().endObject();
  return writer.text() + "\n";
}

Answer list(const Arguments& arguments) {
  const auto stock = takeStock(arguments);
  if (!stock) return failure("list", stock.error());
  return {0, arguments.json ? listJson(*stock) : listText(*stock, arguments.screen), {}};
}

}  // namespace pons::tools
