// ponsctl(8) lists each finding of the doctor and each metric, and no others.
#include <fstream>
#include <regex>
#include <set>

#include <doctest/doctest.h>

#include "plugin/ctl/finding.h"
#include "plugin/ctl/metrics.h"

#include "tests/protocol/network.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

/// The lines of a section of ponsctl(8).
std::vector<std::string> linesOfSection(const std::string& title) {
  std::ifstream page{PONS_SOURCE_DIR "/scripts/man/ponsctl.8"};
  std::vector<std::string> lines;
  bool isIn = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(".Sh ")) isIn = line == ".Sh " + title;
    if (isIn) lines.push_back(line);
  }
  return lines;
}

/// "name (type: label, label) help", as ponsctl(8) lists it.
using Described = std::set<std::string>;

std::string described(const std::string& name, const std::string& type, const std::vector<std::string>& labels,
                      const std::string& help) {
  std::string text = name + " (" + type;
  for (const std::string& label : labels) text += (&label == &labels.front() ? ": " : ", ") + label;
  return text + ") " + help;
}

Described metricsOfPage() {
  const std::regex item{R"(\.It (pons_\w+) Pq (.*))"};
  Described all;
  const auto lines = linesOfSection("METRICS");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(lines[i], match, item))
      all.insert(match.str(1) + " (" + match.str(2) + ") " + lines.at(i + 1));
  }
  return all;
}

/// With the labels of all samples, but of a histogram's buckets that of their bound.
Described metricsOf(const std::vector<Metric>& metrics) {
  Described all;
  for (const Metric& metric : metrics) {
    std::vector<std::string> labels;
    for (const Sample& sample : metric.samples) {
      for (const auto& [name, value] : sample.labels) {
        if (name != "le" && std::ranges::find(labels, name) == labels.end()) labels.push_back(name);
      }
    }
    CHECK_MESSAGE(!metric.samples.empty(), metric.name);
    all.insert(described(metric.name, metric.type, labels, metric.help));
  }
  return all;
}

std::string lines(const Described& all) {
  std::string text;
  for (const std::string& one : all) text += one + "\n";
  return text;
}

}  // namespace

TEST_CASE("ponsctl(8) lists the id of each finding of the doctor once, and no others") {
  std::vector<std::string> known;
  for (const std::string_view name : findingNames()) known.emplace_back(name);
  const std::regex word{"[a-z0-9]+(-[a-z0-9]+)*"};
  for (const std::string& name : known) CHECK_MESSAGE(std::regex_match(name, word), name);
  std::vector<std::string> listed;
  for (const std::string& line : linesOfSection("DOCTOR")) {
    if (line.starts_with(".It Cm ")) listed.push_back(line.substr(7));
  }
  CHECK(known == listed);
}

TEST_CASE("the doctor reports each finding that has an id") {
  const std::filesystem::path directory = PONS_SOURCE_DIR "/plugin/ctl";
  std::string checks;
  for (const auto& file : std::filesystem::directory_iterator{directory}) {
    if (file.path().filename().string().starts_with("doctor")) checks += contentOf(file.path());
  }
  const std::string table = contentOf(directory / "finding.cpp");
  const std::regex row{R"(\{Id::(\w+), ")"};
  std::size_t rows = 0;
  for (auto match = std::sregex_iterator{table.begin(), table.end(), row}; match != std::sregex_iterator{}; ++match) {
    CHECK_MESSAGE(std::regex_search(checks, std::regex{"FindingId::" + match->str(1) + "\\b"}), match->str(1));
    ++rows;
  }
  CHECK(rows == findingNames().size());
}

TEST_CASE("On a host: ponsctl(8) lists each metric as ponsctl prints it, and no others") {
  REQUIRE_FAKE_HOST(host);
  if (!std::filesystem::exists("/proc/sys/net/bridge")) return FakeHost::countSkip("needs br_netfilter");
  Network demo{"demo", R"("publishedOnly": true, "egressPolicy": {}, "ipam": {"subnet": "10.42.0.0/24"})"};
  host.addNamespace("c1");
  const std::string ports =
      R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", )"
      R"("allowFrom": ["10.0.0.0/8"]}]})";
  Subject subject = subjectOf("c1");
  subject.args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0";
  const Outcome added = call("ADD", demo.config(ports), subject);
  REQUIRE_MESSAGE(added.ok(), added.out);
  shell("echo 0 > /proc/sys/net/ipv4/ip_forward");  // a finding
  const Arguments arguments{.stateDir = "/run/pons", .configDir = "/run/net.d"};
  const auto metrics = pons::ctl::metricsOf(arguments);
  REQUIRE_MESSAGE(metrics, metrics.error().message);
  CHECK(lines(metricsOf(metrics->all)) == lines(metricsOfPage()));
}
