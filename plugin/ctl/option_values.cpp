#include "plugin/ctl/option_values.h"

#include <charconv>
#include <filesystem>

namespace pons::ctl {

std::string refuseTimeout(const std::string& text) {
  constexpr double kShortest = 0.01;
  constexpr double kLongest = 60;
  double seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool isNumber = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  if (isNumber && seconds >= kShortest && seconds <= kLongest) return {};
  return "invalid timeout \"" + text + "\": must be a number of seconds from 0.01 to 60";
}

std::string refuseMissingDirectory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) ? "" : "there is no directory \"" + path + "\"";
}

}  // namespace pons::ctl
