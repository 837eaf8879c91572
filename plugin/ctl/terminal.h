// The width and the colours of the output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pons::ctl {

enum class Colour : unsigned char { None, Good, Bad, Busy, Faint };

struct Terminal {
  static constexpr std::size_t kUnlimited = SIZE_MAX;

  std::size_t width = 80;  ///< columns
  bool hasColours = false;
  bool wide = false;  ///< tables are not narrowed, whatever the width

  /// Of the terminal at `fd` (TIOCGWINSZ), at least 40 columns. If `fd` is not a terminal: COLUMNS, or kUnlimited, so
  /// that programs get whole lines, and no colours. NO_COLOR disables colours, see https://no-color.org.
  static Terminal of(int fd, const std::function<const char*(const char* name)>& environment);

  /// Nothing is left out or shortened.
  bool isComplete() const { return wide || width == kUnlimited; }

  /// The text in that colour (SGR escape sequences), unchanged without colours.
  std::string in(Colour colour, std::string_view text) const;
};

}  // namespace pons::ctl
