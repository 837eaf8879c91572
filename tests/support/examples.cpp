#include "tests/support/examples.h"

#include <cctype>
#include <regex>
#include <sstream>

namespace support {

namespace {

constexpr const char* kAny = "...";

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The text that mandoc prints for a line of a literal block.
std::string unescaped(std::string line) {
  for (const auto& [escape, character] :
       {std::pair{"\\\\&", ""}, {"\\\\e", "\\"}, {"\\\\-", "-"}, {"\\\\\\(dq", "\""}}) {
    line = std::regex_replace(line, std::regex{escape}, character);
  }
  return line;
}

/// Without what differs from run to run: each number and each container ID is 0, each run of spaces one.
std::string generalised(const std::string& original) {
  static const std::regex id{"\\b[0-9a-f]{12,64}\\b"};
  const std::string line = std::regex_replace(original, id, "0");
  std::string text;
  for (const char one : line) {
    const bool isDigit = std::isdigit(static_cast<unsigned char>(one)) != 0;
    const char next = isDigit ? '0' : one;
    if ((isDigit || one == ' ') && text.ends_with(next)) continue;
    text += next;
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

bool matches(const std::string& shown, const std::string& printed) {
  if (!shown.ends_with(kAny)) return generalised(shown) == generalised(printed);
  return generalised(printed).starts_with(generalised(shown.substr(0, shown.size() - 3)));
}

using Line = std::vector<std::string>::const_iterator;

bool allMatch(Line shown, Line shownEnd, Line printed, Line printedEnd) {
  if (shown == shownEnd) return printed == printedEnd;
  if (*shown == kAny) {
    return allMatch(shown + 1, shownEnd, printed, printedEnd) ||
           (printed != printedEnd && allMatch(shown, shownEnd, printed + 1, printedEnd));
  }
  return printed != printedEnd && matches(*shown, *printed) && allMatch(shown + 1, shownEnd, printed + 1, printedEnd);
}

}  // namespace

std::vector<Example> examplesIn(const std::string& text) {
  std::vector<Example> all;
  bool continues = false;
  for (const std::string& line : linesOf(text)) {
    const bool starts = !continues && line.starts_with("# ");
    if (starts) all.push_back({line.substr(2), {}});
    if (continues) all.back().command += "\n" + line;
    if (!starts && !continues && !all.empty()) all.back().output.push_back(line);
    continues = (starts || continues) && line.ends_with('\\');
  }
  for (Example& example : all) {
    while (!example.output.empty() && example.output.back().empty()) example.output.pop_back();
  }
  return all;
}

std::vector<std::string> literalBlocksOf(const std::string& page) {
  std::vector<std::string> blocks;
  bool literal = false;
  for (const std::string& line : linesOf(page)) {
    if (line.starts_with(".Bd -literal")) {
      literal = true;
      blocks.emplace_back();
    } else if (line.starts_with(".Ed")) {
      literal = false;
    } else if (literal) {
      blocks.back() += unescaped(line) + "\n";
    } else if (line.starts_with(".Dl ")) {
      blocks.push_back(unescaped(line.substr(4)) + "\n");
    }
  }
  return blocks;
}

std::vector<Example> examplesOfManual(const std::string& page) {
  std::vector<Example> all;
  for (const std::string& block : literalBlocksOf(page)) {
    for (Example& example : examplesIn(block)) all.push_back(std::move(example));
  }
  return all;
}

std::vector<Example> examplesOfMarkdown(const std::string& page) {
  std::string text;
  bool console = false;
  for (const std::string& line : linesOf(page)) {
    if (line.starts_with("```")) {
      console = line == "```console";
      text += "\n";
    } else if (console) {
      text += line + "\n";
    }
  }
  return examplesIn(text);
}

std::string differenceOf(const Example& example, const std::string& printed) {
  const std::vector<std::string> lines = linesOf(printed);
  if (allMatch(example.output.begin(), example.output.end(), lines.begin(), lines.end())) return {};
  std::string shown;
  for (const std::string& line : example.output) shown += line + "\n";
  return "# " + example.command + "\nshown:\n" + shown + "printed:\n" + printed;
}

}  // namespace support
