#include "netlib/base/similar.h"

#include <algorithm>
#include <numeric>

#include "netlib/base/text.h"

namespace netlib {

namespace {

/// The Levenshtein distance: insertions, deletions and substitutions.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t change = diagonal + (lowerCaseOf(one[i]) == lowerCaseOf(other[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view similarTo(std::string_view text, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kMaxDistance = 2;
  std::string_view nearest;
  std::size_t least = kMaxDistance + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() + kMaxDistance < text.size() || text.size() + kMaxDistance < candidate.size()) continue;
    const std::size_t away = distance(candidate, text);
    if (away >= least || away * 2 >= text.size()) continue;
    least = away;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace netlib
