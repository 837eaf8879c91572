#include "plugin/ctl/list.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/interfaces.h"
#include "plugin/ctl/item_json.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

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
  const std::vector<Interface> interfaces = interfacesOf(stock);
  for (const Interface& interface : interfaces) {
    const AttachmentKey& key = interface.first->key;
    if (isBad(interface.health)) ++bad;
    table.add({{key.network.toString()},
               {key.container.toString()},
               {key.ifName.toString()},
               {joined(interface.addresses)},
               {joined(interface.ports)},
               {interface.first->age ? textOf(*interface.first->age) : ""},
               {std::string{nameOf(interface.health)}, colourOf(interface.health)}});
  }
  std::string text = table.text(screen);
  if (bad > 0) {
    text += "\n" + std::to_string(bad) + " of " + counted(interfaces.size(), "attachment") +
            (bad == 1 ? " is" : " are") + " not well: \"pons check\" says why\n";
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
