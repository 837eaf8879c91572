// String functions of the parsers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace netlib {

/// The parts between separators; always at least one, and empty ones are kept.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The parts between runs of spaces and tabs; never an empty one.
std::vector<std::string_view> words(std::string_view text);

/// True if not empty, without control characters and spaces: such a string cannot add a line or a word to a file that
/// it is written into.
bool isOneWord(std::string_view text);

/// Of ASCII letters only.
constexpr char lowerCaseOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lowerCase(std::string_view text);
bool equalIgnoringCase(std::string_view a, std::string_view b);

}  // namespace netlib
