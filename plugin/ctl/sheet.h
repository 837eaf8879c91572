// Facts about one thing: a name in front, what it is behind.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/screen.h"

namespace pons::tools {

class Sheet {
 public:
  /// One that repeats the name before is written below it, without the name.
  void add(std::string name, std::string content, Colour colour = Colour::None);

  /// Broken between words at the end of the screen.
  std::string text(const Screen& screen) const;

 private:
  struct Entry {
    std::string name;
    std::string content;
    Colour colour;
  };
  std::vector<Entry> entries_;
};

}  // namespace pons::tools
