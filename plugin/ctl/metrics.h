// ponsctl metrics: metrics for Prometheus.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "netlib/base/result.h"

#include "plugin/ctl/arguments.h"

namespace pons::ctl {

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels = {};
  double value;
  std::string suffix = {};  ///< appended to the name: "_bucket", "_sum" or "_count" of a histogram
};

/// All samples of one name.
struct Metric {
  std::string name;
  std::string type;  ///< "counter", "gauge", "histogram"
  std::string help;
  std::vector<Sample> samples = {};
};

/// Up to six decimals, without trailing zeros.
std::string textOfNumber(double number);

/// The Prometheus text format, version 0.0.4. Omits metrics without samples.
std::string metricsText(const std::vector<Metric>& metrics);
/// Values are strings, as in the HTTP API of Prometheus.
std::string metricsJson(const std::vector<Metric>& metrics);

struct Metrics {
  std::vector<Metric> all = {};
  std::vector<std::string> problems = {};  ///< of configurations and records, see Networks
};
/// From the counters, the ledger, the network configurations and the kernel.
netlib::Result<Metrics> metricsOf(const Arguments& arguments);

}  // namespace pons::ctl
