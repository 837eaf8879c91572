#include "tests/protocol/plugin_run.h"

#include <doctest/doctest.h>

#include "plugin/cni/version.h"

#include "tests/support/text.h"

namespace support {

using pons::json::Document;
using pons::json::Value;

std::vector<std::string> environmentOf(const std::string& verb, const Subject& subject) {
  std::vector<std::string> all{"CNI_COMMAND=" + verb,        "CNI_CONTAINERID=" + subject.container,
                               "CNI_NETNS=" + subject.netns, "CNI_IFNAME=" + subject.ifName,
                               "CNI_ARGS=" + subject.args,   "CNI_PATH=/opt/cni/bin"};
  all.insert(all.end(), subject.more.begin(), subject.more.end());
  return all;
}

Outcome call(const std::string& verb, const std::string& config, const Subject& subject) {
  return run({PONS_BINARY}, {.environment = environmentOf(verb, subject), .input = config});
}

std::string configOf(const std::string& version, const std::string& members) {
  return R"({"cniVersion": ")" + version + R"(", "name": "demo", "type": "pons")" + (members.empty() ? "" : ", ") +
         members + "}";
}

std::string withPrevious(const std::string& config, const std::string& result) {
  return config.substr(0, config.rfind('}')) + R"(, "prevResult": )" + result + "}";
}

Document documentOf(const Outcome& outcome) {
  CAPTURE(outcome.out);
  CAPTURE(outcome.err);
  REQUIRE(outcome.signal == 0);
  auto document = Document::parse(outcome.out);
  REQUIRE(document.ok());
  return std::move(document).value();
}

Document resultOf(const Outcome& outcome) {
  Document result = documentOf(outcome);
  CAPTURE(outcome.out);
  REQUIRE(outcome.exitCode == 0);
  CHECK(pons::cni::parseVersion(textOf(result["cniVersion"])).has_value());
  CHECK(!result["code"].present());
  return result;
}

std::string textOf(const Value& value) { return std::string{value.string().value_or("")}; }

std::string addressIn(const Document& result) {
  const auto ips = result["ips"].items();
  const std::string prefix = textOf(ips.empty() ? result["ip4"]["ip"] : ips.front()["address"]);
  return prefix.substr(0, prefix.find('/'));
}

void checkSilent(const Outcome& outcome) {
  CHECK(outcome.signal == 0);
  CHECK(outcome.exitCode == 0);
  CHECK(outcome.out.empty());
}

void checkError(const Outcome& outcome, pons::cni::ErrorCode code, const std::vector<std::string>& words) {
  const Document error = documentOf(outcome);
  CHECK(outcome.exitCode == 1);
  CHECK(pons::cni::parseVersion(textOf(error["cniVersion"])).has_value());
  CHECK_MESSAGE(error["code"].integer() == static_cast<std::int64_t>(code), outcome.out);
  CHECK(!textOf(error["msg"]).empty());
  const std::string said = textOf(error["msg"]) + "\n" + textOf(error["details"]);
  for (const std::string& word : words) CHECK_MESSAGE(contains(said, word), word << " is not in: " << said);
}

std::string ledgerText(const std::string& stateDir) {
  std::string text;
  for (const char* top : {"/holds", "/networks", "/originals", "/ports", "/staged"}) {
    const std::string tree = dumpTree(stateDir + top);
    if (!tree.empty()) text += tree.substr(tree.find('\n') + 1);
  }
  return text;
}

Unchanged::~Unchanged() { CHECK(state() == before_); }

}  // namespace support
