#include "plugin/ctl/sheet.h"

#include "plugin/ctl/table.h"

namespace pons::tools {

void Sheet::add(std::string name, std::string content, Colour colour) {
  entries_.push_back({std::move(name), std::move(content), colour});
}

std::string Sheet::text(const Screen& screen) const {
  Table table{{{""}, {"", Column::Fit::Wrap}}};
  std::string above;
  for (const Entry& entry : entries_) {
    table.add({{entry.name == above ? "" : entry.name}, {entry.content, entry.colour}});
    above = entry.name;
  }
  return table.text(screen);
}

}  // namespace pons::tools
