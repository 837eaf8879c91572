// How much a person sees at once, and whether in colours.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace pons::tools {

enum class Colour : unsigned char { None, Good, Bad, Busy, Faint };

struct Screen {
  std::size_t width = 80;  ///< columns
  bool coloured = false;

  /// Of the terminal at stdout. Where that is none: 80 columns, or COLUMNS, and no colours; nor with NO_COLOR, see
  /// https://no-color.org.
  static Screen of(int fd, const std::function<const char*(const char* name)>& environment);

  /// The text in that colour, where there are any.
  std::string in(Colour colour, std::string_view text) const;
};

}  // namespace pons::tools
