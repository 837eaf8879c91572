// pons metrics: numbers for Prometheus.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "netlib/base/result.h"

#include "plugin/ctl/arguments.h"

namespace pons::tools {

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels = {};
  double value;
  std::string suffix = {};  ///< of the name: "_bucket", "_sum" and "_count" of a histogram
};

/// All samples of one name.
struct Metric {
  std::string name;
  std::string type;  ///< "counter", "gauge", "histogram"
  std::string help;
  std::vector<Sample> samples = {};
};

/// Without zeros at its end.
std::string textOfNumber(double number);

/// Prometheus' text format, version 0.0.4. A metric without samples is left out.
std::string metricsText(const std::vector<Metric>& metrics);
/// Values are text, as in Prometheus' own answers.
std::string metricsJson(const std::vector<Metric>& metrics);

/// What the counters, the ledger, the configurations and the kernel tell.
netlib::Result<std::vector<Metric>> metricsOf(const Arguments& arguments);

}  // namespace pons::tools
