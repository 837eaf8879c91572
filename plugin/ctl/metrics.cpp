#include "plugin/ctl/metrics.h"

#include "netlib/base/utf8.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/json_output.h"

namespace pons::ctl {

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
  return jsonDocument([&](json::Writer& writer) {
    writer.key("metrics").beginArray();
    for (const Metric& metric : metrics) {
      for (const Sample& sample : metric.samples) {
        writer.beginObject().member("name", metric.name + sample.suffix).key("labels").beginObject();
        for (const auto& [name, value] : sample.labels) writer.member(name, value);
        writer.endObject().member("value", textOfNumber(sample.value)).endObject();
      }
    }
    writer.endArray();
  });
}

netlib::Result<Answer> metrics(const Arguments& arguments) {
  const auto found = TRY(metricsOf(arguments));
  return Answer{0, arguments.json ? metricsJson(found.all) : metricsText(found.all),
                linesOf(arguments.command, found.problems)};
}

}  // namespace pons::ctl
