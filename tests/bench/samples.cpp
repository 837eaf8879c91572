#include "tests/bench/samples.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bench {

namespace {

/// The value below which that part (0 to 1) of the sorted values lies; between two of them where it falls there.
double percentile(const std::vector<double>& sorted, double part) {
  const double place = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - std::floor(place));
}

/// Of the rounds that both have.
template <class Join>
Series joined(const Series& left, const Series& right, Join join) {
  Series result;
  for (const auto& [round, value] : left) {
    const auto partner = right.find(round);
    if (partner != right.end()) result[round] = join(value, partner->second);
  }
  return result;
}

}  // namespace

const char* nameOf(Subject subject) {
  constexpr std::array kNames{
      "pons",         "netavark", "reference nftables", "reference iptables", "reference", "floor", "start",
      "link removal", "baseline"};
  return kNames.at(static_cast<std::size_t>(subject));
}

std::optional<Spread> spreadOf(const Series& series) {
  if (series.empty()) return std::nullopt;
  std::vector<double> values;
  for (const auto& [round, value] : series) values.push_back(value);
  std::ranges::sort(values);
  return Spread{percentile(values, 0.1), percentile(values, 0.5), percentile(values, 0.9)};
}

Series quotients(const Series& above, const Series& below) {
  return joined(above, below, [](double one, double other) { return one / other; });
}

Series sums(const Series& left, const Series& right) {
  return joined(left, right, [](double one, double other) { return one + other; });
}

void Samples::add(const Topic& topic, Subject subject, unsigned round, double value) {
  all_[topic][subject][round] = value;
}

void Samples::add(const std::string& experiment, unsigned size, const std::string& verb, Subject subject,
                  unsigned round, const Cost& cost) {
  if (cost.wall == 0) return;
  add({experiment, size, verb + " ms"}, subject, round, cost.wall / 1e3);
  add({experiment, size, verb + " processor ms"}, subject, round, cost.cpu / 1e3);
  add({experiment, size, verb + " minor faults"}, subject, round, cost.faults);
}

Series Samples::series(const Topic& topic, Subject subject) const {
  const auto found = all_.find(topic);
  if (found == all_.end()) return {};
  const auto series = found->second.find(subject);
  return series == found->second.end() ? Series{} : series->second;
}

}  // namespace bench
