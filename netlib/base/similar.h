// Suggestions for misspelled words.
#pragma once

#include <string_view>
#include <vector>

namespace netlib {

/// The first candidate with the smallest Levenshtein distance to `text`, ignoring ASCII case, if that is at most 2 and
/// less than half of the length of `text`; else empty.
std::string_view similarTo(std::string_view text, const std::vector<std::string_view>& candidates);

}  // namespace netlib
