#include "plugin/ctl/terminal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

namespace pons::ctl {

namespace {

/// Narrower tables cannot be read.
constexpr std::size_t kMinWidth = 40;

std::size_t widthOf(int fd, const char* columns) {
  winsize size{};
  const bool isTerminal = ioctl(fd, TIOCGWINSZ, &size) == 0;
  if (isTerminal && size.ws_col > 0) return size.ws_col;
  std::size_t width = 0;
  if (columns != nullptr) std::from_chars(columns, columns + std::strlen(columns), width);
  if (width != 0) return width;
  return isTerminal ? Terminal{}.width : Terminal::kUnlimited;
}

}  // namespace

Terminal Terminal::of(int fd, const std::function<const char*(const char* name)>& environment) {
  const char* noColour = environment("NO_COLOR");
  const bool refused = noColour != nullptr && *noColour != '\0';
  return {.width = std::max(widthOf(fd, environment("COLUMNS")), kMinWidth), .hasColours = !refused && isatty(fd) == 1};
}

std::string Terminal::in(Colour colour, std::string_view text) const {
  constexpr std::array<std::string_view, 5> kBegin{"", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"};
  constexpr std::string_view kEnd = "\x1b[0m";
  if (!hasColours || colour == Colour::None) return std::string{text};
  return std::string{kBegin.at(static_cast<std::size_t>(colour))}.append(text).append(kEnd);
}

}  // namespace pons::ctl
