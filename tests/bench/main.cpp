// pons_bench: measures pons against the reference plugins and the bare kernel. scripts/bench builds and runs it.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string_view>

#include "tests/bench/contest.h"
#include "tests/bench/report.h"

namespace {

struct Options {
  unsigned runs = 50;
  unsigned referenceRuns = 10;
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
      options.runs = 10;
      options.referenceRuns = 3;
      continue;
    }
    if (++i == arguments.size()) return std::nullopt;
    const auto number = numberOf(arguments[i]);
    if (name == "--output") {
      options.output = arguments[i];
    } else if (name == "--runs" && number && *number > 0) {
      options.runs = *number;
    } else if (name == "--reference-runs" && number) {
      options.referenceRuns = *number;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

void measure(const Options& options) {
  constexpr unsigned kMostWarmUp = 5;
  const unsigned referenceRuns = std::min(options.referenceRuns, options.runs);
  const bench::Plan plan{std::min(options.runs, kMostWarmUp), options.runs, referenceRuns};
  const bench::Measurements measurements = bench::Contest{referenceRuns > 0}.hold(plan);
  const auto figures = bench::figuresOf(measurements);
  std::filesystem::create_directories(options.output);
  bench::writeCsv(options.output, measurements, figures);
  std::printf("%u runs, %u of the reference\n%s", plan.runs, plan.referenceRuns, bench::tableOf(figures).c_str());
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
