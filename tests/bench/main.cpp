// pons_bench: measures pons against the reference plugins and the bare kernel. scripts/bench builds and runs it, and
// draws the charts.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string_view>

#include "tests/bench/experiments.h"
#include "tests/bench/report.h"

namespace {

struct Options {
  bench::Effort effort;
  std::string output = "build/bench";
};

std::optional<unsigned> numberOf(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional{number} : std::nullopt;
}

/// Nothing where they cannot be understood.
std::optional<Options> optionsOf(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--quick") {
      options.effort = {.runs = 10, .referenceRuns = 1};
      continue;
    }
    if (++i == arguments.size()) return std::nullopt;
    const auto number = numberOf(arguments[i]);
    if (name == "--output") {
      options.output = arguments[i];
    } else if (name == "--runs" && number && *number > 0) {
      options.effort.runs = *number;
    } else if (name == "--reference-runs" && number) {
      options.effort.referenceRuns = *number;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

bench::Samples measured(bench::Effort effort) {
  effort.referenceRuns = std::min(effort.referenceRuns, effort.runs);
  bench::Samples samples;
  bench::containerStart(effort, samples);
  bench::Hosts hosts;
  bench::duel(hosts, effort, samples);
  bench::dualStack(hosts, effort, samples);
  bench::budget(hosts, effort, samples);
  bench::burst(hosts, effort, samples);
  // Last: thousands of links are not what the others shall be measured beside.
  bench::crowded(hosts, effort, samples);
  return samples;
}

void measure(const Options& options) {
  const bench::Samples samples = measured(options.effort);
  const std::vector<bench::Row> rows = bench::rowsOf(samples);
  std::filesystem::create_directories(options.output);
  bench::writeCsv(options.output, samples, rows);
  std::printf("%s\n%s", bench::tableOf(samples).c_str(), bench::tableOf(rows).c_str());
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = optionsOf({arguments, static_cast<std::size_t>(count)});
  if (!options) {
    std::fputs("usage: pons_bench [--quick] [--runs N] [--reference-runs N] [--output DIRECTORY]\n", stderr);
    return 2;
  }
  try {
    measure(*options);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "pons_bench: %s\n", problem.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
