#include "tests/bench/report.h"

#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

struct Quantity {
  const char* name;
  const char* unit;
  double Cost::*member;
  double scale;
};

constexpr std::array kQuantities{Quantity{"wall time", "ms", &Cost::wall, 1e-3},
                                 Quantity{"CPU time", "ms", &Cost::cpu, 1e-3},
                                 Quantity{"minor page faults", "", &Cost::faults, 1}};

[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...) {
  std::array<char, 256> line{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  return line.data();
}

Figure figureOf(const Measurements& measurements, Verb verb, const Quantity& quantity) {
  Figure figure{.name = std::string{nameOf(verb)} + " " + quantity.name, .unit = quantity.unit};
  std::map<Subject, Series> all;
  for (const Subject subject : kSubjects) {
    all[subject] = measurements.series(subject, verb, quantity.member);
    const auto spread = spreadOf(all[subject]);
    if (!spread) continue;
    const double scale = quantity.scale;
    figure.spreads[subject] = {spread->p10 * scale, spread->median * scale, spread->p90 * scale};
  }
  figure.referenceToPons = ratioOf(all[Subject::Reference], all[Subject::Pons]);
  figure.ponsToFloor = ratioOf(all[Subject::Pons], all[Subject::Floor]);
  return figure;
}

Figure countFigure(const Measurements& measurements, Verb verb, const char* name, double Counts::*member) {
  Figure figure{.name = std::string{nameOf(verb)} + " " + name};
  for (const Subject subject : kSubjects) {
    const auto counts = measurements.counts.find({subject, verb});
    if (counts == measurements.counts.end()) continue;
    const double count = counts->second.*member;
    figure.spreads[subject] = {count, count, count};
  }
  const auto pons = figure.spreads.find(Subject::Pons);
  const auto reference = figure.spreads.find(Subject::Reference);
  if (pons != figure.spreads.end() && reference != figure.spreads.end()) {
    figure.referenceToPons = reference->second.median / pons->second.median;
  }
  return figure;
}

std::string cellOf(const Figure& figure, Subject subject) {
  const auto found = figure.spreads.find(subject);
  if (found == figure.spreads.end()) return "-";
  const Spread& spread = found->second;
  const int digits = figure.unit.empty() ? 0 : 2;
  if (spread.p10 == spread.p90) return formatted("%.*f", digits, spread.median);
  return formatted("%.*f (%.*f-%.*f)", digits, spread.median, digits, spread.p10, digits, spread.p90);
}

std::string ratioCell(const std::optional<double>& ratio) { return ratio ? formatted("%.2f", *ratio) : "-"; }

std::string rowOf(const std::array<std::string, 6>& cells) {
  return formatted("%-26s %22s %24s %22s %12s %12s\n", cells[0].c_str(), cells[1].c_str(), cells[2].c_str(),
                   cells[3].c_str(), cells[4].c_str(), cells[5].c_str());
}

void writeFile(const std::string& path, const std::string& text) {
  std::ofstream file{path};
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

std::string summaryCsv(const std::vector<Figure>& figures) {
  std::string csv = "figure,unit,subject,p10,median,p90\n";
  for (const Figure& figure : figures) {
    for (const auto& [subject, spread] : figure.spreads) {
      csv += formatted("%s,%s,%s,%.3f,%.3f,%.3f\n", figure.name.c_str(), figure.unit.c_str(), nameOf(subject),
                       spread.p10, spread.median, spread.p90);
    }
    for (const auto& [name, ratio] :
         {std::pair{"reference/pons", figure.referenceToPons}, {"pons/floor", figure.ponsToFloor}}) {
      if (ratio) csv += formatted("%s,ratio,%s,,%.3f,\n", figure.name.c_str(), name, *ratio);
    }
  }
  return csv;
}

std::string samplesCsv(const Measurements& measurements) {
  std::string csv = "round,subject,verb,wall_us,cpu_us,minor_faults\n";
  for (const Sample& sample : measurements.samples) {
    csv += formatted("%u,%s,%s,%.1f,%.0f,%.0f\n", sample.round, nameOf(sample.subject), nameOf(sample.verb),
                     sample.cost.wall, sample.cost.cpu, sample.cost.faults);
  }
  return csv;
}

}  // namespace

std::vector<Figure> figuresOf(const Measurements& measurements) {
  std::vector<Figure> figures;
  for (const Verb verb : kVerbs) {
    for (const Quantity& quantity : kQuantities) figures.push_back(figureOf(measurements, verb, quantity));
    figures.push_back(countFigure(measurements, verb, "system calls", &Counts::syscalls));
    figures.push_back(countFigure(measurements, verb, "programs executed", &Counts::programs));
  }
  return figures;
}

std::string tableOf(const std::vector<Figure>& figures) {
  std::string table = rowOf({"median (p10-p90)", "pons", "reference", "kernel floor", "ref/pons", "pons/floor"});
  for (const Figure& figure : figures) {
    table += rowOf({figure.name + (figure.unit.empty() ? "" : ", " + figure.unit), cellOf(figure, Subject::Pons),
                    cellOf(figure, Subject::Reference), cellOf(figure, Subject::Floor),
                    ratioCell(figure.referenceToPons), ratioCell(figure.ponsToFloor)});
  }
  return table;
}

void writeCsv(const std::string& directory, const Measurements& measurements, const std::vector<Figure>& figures) {
  writeFile(directory + "/summary.csv", summaryCsv(figures));
  writeFile(directory + "/samples.csv", samplesCsv(measurements));
}

}  // namespace bench
