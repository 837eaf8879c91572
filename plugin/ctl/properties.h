// Output of names with values, one pair per line.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/terminal.h"

namespace pons::ctl {

class PropertyList {
 public:
  /// If the previous pair has the same name, only the value is printed.
  void add(std::string name, std::string value, Colour colour = Colour::None);

  /// Long values are wrapped between words.
  std::string text(const Terminal& terminal) const;

 private:
  struct Property {
    std::string name;
    std::string value;
    Colour colour;
  };
  std::vector<Property> properties_;
};

}  // namespace pons::ctl
