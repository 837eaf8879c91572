// The examples in README.md and in the manual pages: commands, and the output that is shown with them.
#pragma once

#include <string>
#include <vector>

namespace support {

struct Example {
  std::string command;
  std::vector<std::string> output;  ///< lines
};

/// Of a text: each line "# command" (with "\" at its end also the next line), and the lines up to the next command.
std::vector<Example> examplesIn(const std::string& text);

/// The literal blocks of an mdoc(7) page, and its lines ".Dl", in their order, as mandoc prints them.
std::vector<std::string> literalBlocksOf(const std::string& page);
/// The examples in these.
std::vector<Example> examplesOfManual(const std::string& page);

/// Of the ```console blocks of a Markdown page.
std::vector<Example> examplesOfMarkdown(const std::string& page);

/// Empty if the command printed what the example shows, else what differs. Numbers, container IDs and runs of spaces
/// may differ. A line
/// "..." stands for any number of lines, "..." at the end of a line for the rest of it.
std::string differenceOf(const Example& example, const std::string& printed);

}  // namespace support
