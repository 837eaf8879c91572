// pons_bench: measures pons against the reference plugins and the bare kernel. scripts/bench builds and runs it, and
// draws the charts.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <thread>

#include "tests/bench/experiments.h"
#include "tests/bench/history.h"
#include "tests/bench/report.h"

namespace {

struct Experiment {
  const char* name;
  void (*run)(bench::Hosts& hosts, const bench::Effort& effort, bench::Samples& into);
};

/// scale and policies are last: their thousands of containers would affect the other measurements.
constexpr std::array kExperiments{Experiment{"single", bench::single},   Experiment{"dual-stack", bench::dualStack},
                                  Experiment{"budget", bench::budget},   Experiment{"guards", bench::guards},
                                  Experiment{"traffic", bench::traffic}, Experiment{"burst", bench::burst},
                                  Experiment{"scale", bench::scale},     Experiment{"policies", bench::policies}};

struct Options {
  bench::Effort effort;
  std::string only;  ///< the experiment of this name, or all
  std::string output = "build/bench";
  std::string history = "tests/bench/history.csv";
};

std::optional<unsigned> numberOf(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional{number} : std::nullopt;
}

/// Nothing on a usage error.
std::optional<Options> optionsOf(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--quick") {
      options.effort = {.runs = 10, .referenceRuns = 1, .existing = {0, 1000, 5000}};
      continue;
    }
    if (++i == arguments.size()) return std::nullopt;
    const auto number = numberOf(arguments[i]);
    if (name == "--output") {
      options.output = arguments[i];
    } else if (name == "--history") {
      options.history = arguments[i];
    } else if (name == "--only") {
      options.only = arguments[i];
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

bench::Samples measured(const Options& options) {
  bench::Effort effort = options.effort;
  effort.referenceRuns = std::min(effort.referenceRuns, effort.runs);
  bench::Samples samples;
  const auto wants = [&](const char* name) { return options.only.empty() || options.only == name; };
  if (wants("start")) bench::containerStart(effort, samples);
  bench::Hosts hosts;
  for (const Experiment& experiment : kExperiments) {
    if (wants(experiment.name)) experiment.run(hosts, effort, samples);
  }
  return samples;
}

/// Other load on the machine distorts the figures.
void printConditions(const Options& options) {
  double load = 0;
  getloadavg(&load, 1);
  std::printf("%u runs, %u of the reference; %u processors, load %.1f before\n\n", options.effort.runs,
              options.effort.referenceRuns, std::thread::hardware_concurrency(), load);
  std::fflush(stdout);
}

void measure(const Options& options) {
  printConditions(options);
  const bench::Samples samples = measured(options);
  const std::vector<bench::Row> rows = bench::rowsOf(samples);
  std::filesystem::create_directories(options.output);
  bench::writeCsv(options.output, samples, rows);
  std::printf("%s\n", bench::regressions(options.history, rows).c_str());
  bench::appendHistory(options.history, rows);
  std::printf("%s\n%s", bench::tableOf(samples).c_str(), bench::tableOf(rows).c_str());
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = optionsOf({arguments, static_cast<std::size_t>(count)});
  if (!options) {
    std::fputs(
        "usage: pons_bench [--quick] [--runs N] [--reference-runs N] [--output DIRECTORY] [--history FILE] "
        "[--only start|single|dual-stack|budget|guards|traffic|burst|scale|policies]\n",
        stderr);
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
