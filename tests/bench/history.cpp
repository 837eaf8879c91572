#include "tests/bench/history.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "tests/support/process.h"

namespace bench {

namespace {

constexpr double kWorse = 1.1;

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Without commas, which separate the fields.
std::string processor() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      std::erase(line, ',');
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown processor";
}

/// The last figure of each row on this kind of machine.
std::map<std::string, double> lastFigures(const std::string& path) {
  std::map<std::string, double> figures;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields{line};
    std::string date, commit, machine, median, row;
    std::getline(std::getline(std::getline(std::getline(fields, date, ','), commit, ','), machine, ','), median, ',');
    std::getline(fields, row);
    if (machine == machineKind()) figures[row] = std::stod(median);
  }
  return figures;
}

bool isWorse(const Row& row, double before) {
  const double now = row.figure->median;
  return row.bound == Bound::AtMost ? now > before * kWorse : now < before / kWorse;
}

}  // namespace

std::string machineKind() {
  utsname kernel{};
  uname(&kernel);
  const std::string release = kernel.release;  // "6.18.44-..."
  const std::string version = release.substr(0, release.find('.', release.find('.') + 1));
  return fmt::format("{} x {} Linux {}", std::thread::hardware_concurrency(), processor(), version);
}

std::string regressions(const std::string& file, const std::vector<Row>& rows) {
  const std::map<std::string, double> last = lastFigures(file);
  std::string text;
  for (const Row& row : rows) {
    const auto before = last.find(row.what);
    if (!row.figure || before == last.end() || !isWorse(row, before->second)) continue;
    text += fmt::format("WORSE than the last time by over 10 %: {}: {:.3g}, was {:.3g}\n", row.what, row.figure->median,
                        before->second);
  }
  return text;
}

void appendHistory(const std::string& file, const std::vector<Row>& rows) {
  const std::string commit = firstLine(support::outputOf({"git", "rev-parse", "--short", "HEAD"}));
  const std::time_t now = std::time(nullptr);
  std::ofstream history{file, std::ios::app};
  for (const Row& row : rows) {
    if (!row.figure) continue;
    history << std::put_time(std::gmtime(&now), "%F")
            << fmt::format(",{},{},{:.4g},{}\n", commit, machineKind(), row.figure->median, row.what);
  }
  history.close();
  if (!history) throw std::runtime_error("cannot write " + file);
}

}  // namespace bench
