#include "plugin/ctl/properties.h"

#include "plugin/ctl/table.h"

namespace pons::ctl {

void PropertyList::add(std::string name, std::string value, Colour colour) {
  properties_.push_back({std::move(name), std::move(value), colour});
}

std::string PropertyList::text(const Terminal& terminal) const {
  Table table{{{""}, {"", Column::Fit::Wrap}}};
  std::string previous;
  for (const Property& property : properties_) {
    table.add({{property.name == previous ? "" : property.name}, {property.value, property.colour}});
    previous = property.name;
  }
  return table.text(terminal);
}

}  // namespace pons::ctl
