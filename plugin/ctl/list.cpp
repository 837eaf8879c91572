#include "plugin/ctl/list.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/interfaces.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

std::string listText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal) {
  if (statuses.empty()) return "no attachments\n";
  using enum Column::Fit;
  Table table{{{"NETWORK"},
               {"CONTAINER", Shorten},
               {"INTERFACE"},
               {"ADDRESSES", Wrap},
               {"PORTS", Wrap},
               {"AGE", Whole, true},
               {"HEALTH"}}};
  std::size_t bad = 0;
  const std::vector<Interface> interfaces = interfacesOf(statuses);
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
  std::string text = table.text(terminal);
  if (bad > 0) { text += "\n" + withFaults(bad, interfaces.size()) + ": run \"ponsctl check\" for details\n"; }
  return text;
}

std::string listJson(const std::vector<AttachmentStatus>& statuses) {
  return jsonDocument([&](json::Writer& writer) { writeObjects(writer, "attachments", statuses, writeStatus); });
}

Answer list(const Arguments& arguments) {
  const auto statuses = collectStatus(arguments);
  if (!statuses) return failure("list", statuses.error());
  if (statuses->empty() && !arguments.json) return {0, "no attachments" + absenceOf(arguments) + "\n", {}};
  return {0, arguments.json ? listJson(*statuses) : listText(*statuses, arguments.terminal), {}};
}

}  // namespace pons::ctl
