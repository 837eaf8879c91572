#include "tests/bench/report.h"

#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...) {
  std::array<char, 256> line{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  return line.data();
}

/// With three digits that count.
std::string numberText(double number) {
  const int decimals = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return formatted("%.*f", number == static_cast<int>(number) ? 0 : decimals, number);
}

std::string cellOf(const std::optional<Spread>& spread) {
  if (!spread) return "-";
  const std::string median = numberText(spread->median);
  if (spread->p10 == spread->p90) return median;
  return median + " (" + numberText(spread->p10) + "-" + numberText(spread->p90) + ")";
}

const char* signOf(Bound bound) { return bound == Bound::AtMost ? "<=" : ">="; }

const char* verdictOf(const Row& row) { return !row.figure ? "not measured" : row.met() ? "met" : "NOT met"; }

void writeFile(const std::string& path, const std::string& text) {
  std::ofstream file{path};
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

std::string spreadCsv(const std::optional<Spread>& spread) {
  return spread ? formatted("%.3f,%.3f,%.3f", spread->p10, spread->median, spread->p90) : ",,";
}

std::string targetsCsv(const std::vector<Row>& rows) {
  std::string csv = "what,unit,p10,median,p90,bound,target,verdict\n";
  for (const Row& row : rows) {
    csv += "\"" + row.what + "\"," + row.unit + "," + spreadCsv(row.figure) + "," + signOf(row.bound) + "," +
           numberText(row.target) + "," + verdictOf(row) + "\n";
  }
  return csv;
}

std::string summaryCsv(const Samples& samples) {
  std::string csv = "experiment,subject,size,quantity,p10,median,p90\n";
  for (const auto& [topic, subjects] : samples.all()) {
    for (const auto& [subject, series] : subjects) {
      csv += topic.experiment + "," + nameOf(subject) + "," + std::to_string(topic.size) + "," + topic.quantity + "," +
             spreadCsv(spreadOf(series)) + "\n";
    }
  }
  return csv;
}

std::string samplesCsv(const Samples& samples) {
  std::string csv = "experiment,subject,size,quantity,round,value\n";
  for (const auto& [topic, subjects] : samples.all()) {
    for (const auto& [subject, series] : subjects) {
      for (const auto& [round, value] : series) {
        csv += topic.experiment + "," + nameOf(subject) + "," + std::to_string(topic.size) + "," + topic.quantity +
               formatted(",%u,%.3f\n", round, value);
      }
    }
  }
  return csv;
}

}  // namespace

std::string tableOf(const Samples& samples) {
  std::string table = "median (p10-p90)\n";
  for (const auto& [topic, subjects] : samples.all()) {
    const std::string size = topic.size == 0 ? "" : " " + std::to_string(topic.size);
    table += topic.experiment + size + ": " + topic.quantity + "\n";
    for (const auto& [subject, series] : subjects) {
      table += formatted("  %-20s %s\n", nameOf(subject), cellOf(spreadOf(series)).c_str());
    }
  }
  return table;
}

std::string tableOf(const std::vector<Row>& rows) {
  std::string table = formatted("%-78s %24s %-9s %8s\n", "what", "median (p10-p90)", "", "target");
  for (const Row& row : rows) {
    if (!row.figure) continue;
    table += formatted("%-78s %24s %-9s %2s %5s  %s\n", row.what.c_str(), cellOf(row.figure).c_str(), row.unit.c_str(),
                       signOf(row.bound), numberText(row.target).c_str(), verdictOf(row));
  }
  return table;
}

void writeCsv(const std::string& directory, const Samples& samples, const std::vector<Row>& rows) {
  writeFile(directory + "/targets.csv", targetsCsv(rows));
  writeFile(directory + "/summary.csv", summaryCsv(samples));
  writeFile(directory + "/samples.csv", samplesCsv(samples));
}

}  // namespace bench
