// Log lines as a strict parser of each format reads them.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "netlib/base/text.h"

#include "plugin/json/json.h"

namespace support {

/// Values by name, of one line.
using LogLine = std::map<std::string, std::string>;

/// Takes a value from the beginning of the text: a JSON string, or the bytes before the next space.
inline std::string takeLogfmtValue(std::string_view& text) {
  std::size_t end = 0;
  std::string value;
  if (text.starts_with('"')) {
    for (end = 1; end < text.size() && text[end] != '"'; ++end) {
      if (text[end] == '\\') ++end;  // and what it escapes
    }
    REQUIRE(end < text.size());
    ++end;
    const auto document = pons::json::Document::parse("{\"\":" + std::string{text.substr(0, end)} + "}");
    REQUIRE_MESSAGE(document.ok(), text);
    value = *(*document)[""].string();
  } else {
    end = std::min(text.find(' '), text.size());
    value = text.substr(0, end);
    REQUIRE_MESSAGE((!value.empty() && value.find_first_of("=\"\\") == std::string::npos), text);
  }
  text.remove_prefix(end);
  return value;
}

inline LogLine logfmtLine(std::string_view text) {
  LogLine line;
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    REQUIRE_MESSAGE(equals != std::string_view::npos, text);
    const std::string name{text.substr(0, equals)};
    REQUIRE_MESSAGE((!name.empty() && name.find_first_of(" \"") == std::string::npos), text);
    text.remove_prefix(equals + 1);
    CHECK_MESSAGE(line.emplace(name, takeLogfmtValue(text)).second, "twice: " << name);
    if (text.empty()) break;
    REQUIRE_MESSAGE((text.size() > 1 && text[0] == ' '), text);
    text.remove_prefix(1);
  }
  return line;
}

inline LogLine jsonLine(std::string_view text) {
  const auto document = pons::json::Document::parse(text);
  REQUIRE_MESSAGE(document.ok(), text);
  LogLine line;
  for (const auto& [name, value] : document->root().members()) {
    const auto string = value.string();
    CHECK_MESSAGE(line.emplace(name, string ? std::string{*string} : value.text()).second, "twice: " << name);
  }
  return line;
}

/// All lines of a log, each of which ends with a line feed.
inline std::vector<LogLine> logLines(std::string_view log, LogLine (*parse)(std::string_view) = logfmtLine) {
  std::vector<LogLine> lines;
  std::vector<std::string_view> texts = netlib::split(log, '\n');
  CHECK(texts.back().empty());
  texts.pop_back();
  for (const std::string_view text : texts) lines.push_back(parse(text));
  return lines;
}

/// The messages of a log, unescaped, with a line feed after each.
inline std::string messagesIn(std::string_view log) {
  std::string messages;
  for (const LogLine& line : logLines(log)) messages += line.at("msg") + "\n";
  return messages;
}

}  // namespace support
