#include "plugin/ctl/metrics.h"

#include "netlib/base/utf8.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"

namespace pons::tools {

namespace {

std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : netlib::asUtf8(value)) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string{"\\n"} : std::string{c};
  }
  return text;
}

std::string labelsOf(const Sample& sample) {
  std::string text;
  for (const auto& [name, value] : sample.labels) {
    text += (text.empty() ? "{" : ",") + name + "=\"" + escaped(value) + "\"";
  }
  return text.empty() ? text : text + "}";
}

void write(json::Writer& writer, const Metric& metric, const Sample& sample) {
  writer.beginObject().member("name", metric.name + sample.suffix);
  writer.key("labels").beginObject();
  for (const auto& [name, value] : sample.labels) writer.member(name, value);
  writer.endObject().member("value", textOfNumber(sample.value)).endObject();
}

}  // namespace

std::string textOfNumber(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string metricsText(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    if (metric.samples.empty()) continue;
    text += "# HELP " + metric.name + " " + metric.help + "\n# TYPE " + metric.name + " " + metric.type + "\n";
    for (const Sample& sample : metric.samples) {
      text += metric.name + sample.suffix + labelsOf(sample) + " " + textOfNumber(sample.value) + "\n";
    }
  }
  return text;
}

std::string metricsJson(const std::vector<Metric>& metrics) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("metrics").beginArray();
  for (const Metric& metric : metrics) {
    for (const Sample& sample : metric.samples) write(writer, metric, sample);
  }
  writer.endArray().endObject();
  return writer.text() + "\n";
}

Answer metrics(const Arguments& arguments) {
  const auto found = metricsOf(arguments);
  if (!found) return failure("metrics", found.error());
  return {0, arguments.json ? metricsJson(*found) : metricsText(*found), {}};
}

}  // namespace pons::tools
