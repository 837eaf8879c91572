#include "tests/bench/samples.h"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

/// The value below which that part (0 to 1) of the sorted values lies.
double percentile(const std::vector<double>& sorted, double part) {
  return sorted.at(static_cast<std::size_t>(std::lround(part * static_cast<double>(sorted.size() - 1))));
}

}  // namespace

const char* nameOf(Subject subject) {
  constexpr std::array kNames{"pons", "reference", "floor"};
  return kNames.at(static_cast<std::size_t>(subject));
}

const char* nameOf(Verb verb) {
  constexpr std::array kNames{"ADD", "DEL", "start"};
  return kNames.at(static_cast<std::size_t>(verb));
}

std::optional<Spread> spreadOf(const Series& series) {
  if (series.empty()) return std::nullopt;
  std::vector<double> values;
  for (const auto& [round, value] : series) values.push_back(value);
  std::ranges::sort(values);
  return Spread{percentile(values, 0.1), percentile(values, 0.5), percentile(values, 0.9)};
}

std::optional<double> ratioOf(const Series& above, const Series& below) {
  Series ratios;
  for (const auto& [round, value] : above) {
    const auto partner = below.find(round);
    if (partner != below.end() && partner->second > 0) ratios[round] = value / partner->second;
  }
  const auto spread = spreadOf(ratios);
  return spread ? std::optional{spread->median} : std::nullopt;
}

Series Measurements::series(Subject subject, Verb verb, double Cost::*quantity) const {
  Series series;
  for (const Sample& sample : samples) {
    if (sample.subject == subject && sample.verb == verb) series[sample.round] = sample.cost.*quantity;
  }
  return series;
}

}  // namespace bench
