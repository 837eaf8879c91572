#include "plugin/ctl/table.h"

#include <algorithm>
#include <numeric>

#include "netlib/base/text.h"
#include "netlib/base/utf8.h"

#include "plugin/model/attachment.h"

namespace pons::ctl {

namespace {

constexpr std::size_t kGap = 2;

/// Not a continuation byte of UTF-8.
bool beginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

std::size_t columnsOf(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, beginsCharacter));
}

std::size_t longestWordOf(std::string_view text) {
  std::size_t longest = 0;
  for (const std::string_view word : netlib::split(text, ' ')) longest = std::max(longest, columnsOf(word));
  return longest;
}

/// Where a word of more than `width` columns is broken: after a separator in the second half of what fits, if any.
std::size_t breakIn(std::string_view word, std::size_t width) {
  std::size_t most = 0;
  for (std::size_t columns = 0; most < word.size(); ++most) {
    if (beginsCharacter(word[most]) && ++columns > width) break;
  }
  const std::size_t separator = word.substr(0, most).find_last_of(",:/.>]");
  return separator == std::string_view::npos || separator < most / 2 ? most : separator + 1;
}

std::size_t sumOf(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
}

/// The widest first, until the sum is not larger than `width`.
void narrow(std::vector<std::size_t>& widths, const std::vector<std::size_t>& least, std::size_t width) {
  while (sumOf(widths) > width) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] > least[i] && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) return;
    --widths[widest];
  }
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines{""};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (lines.back().empty()) {
      lines.back() = word;
    } else if (columnsOf(lines.back()) + 1 + columnsOf(word) <= width) {
      lines.back().append(1, ' ').append(word);
    } else {
      lines.emplace_back(word);
    }
    while (columnsOf(lines.back()) > width) {
      const std::size_t at = breakIn(lines.back(), width);
      lines.push_back(lines.back().substr(at));
      lines[lines.size() - 2].resize(at);
    }
  }
  return lines;
}

std::string paragraph(std::string_view text, std::size_t indent, const Terminal& terminal, Colour colour) {
  std::string lines;
  for (const std::string& line : wrapped(netlib::printable(text), std::max(terminal.width, indent + 1) - indent)) {
    lines.append(indent, ' ').append(terminal.in(colour, line)).append("\n");
  }
  return lines;
}

std::string hanging(std::string_view text, std::size_t width) {
  std::string lines;
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const std::string_view line : netlib::split(text, '\n')) {
    const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t gap = line.find("  ", start);
    const std::size_t second = gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
    const std::size_t indent = second == std::string_view::npos ? start : second;
    std::string head{line.substr(0, indent)};
    for (const std::string& part : wrapped(line.substr(indent), std::max(width, indent + 1) - indent)) {
      lines.append(head).append(part).append("\n");
      head.assign(indent, ' ');
    }
  }
  return lines;
}

std::size_t distinctLengthOf(const std::set<std::string>& texts) {
  std::size_t length = kShortId;
  // In sorted order, texts with the longest common prefix are adjacent.
  for (auto one = texts.begin(), next = one; one != texts.end() && ++next != texts.end(); ++one) {
    const auto differing = std::ranges::mismatch(*one, *next).in1 - one->begin();
    length = std::max(length, static_cast<std::size_t>(differing) + 1);
  }
  return length;
}

void Table::add(Row row) {
  for (Cell& cell : row) cell.text = netlib::printable(cell.text);
  rows_.push_back(std::move(row));
}

Table::Widths Table::widthsBy(std::size_t (*measure)(std::string_view text)) const {
  Widths widths;
  for (const Column& column : columns_) widths.push_back(column.title.size());
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], measure(row[i].text));
  }
  return widths;
}

void Table::shorten() {
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    if (columns_[column].fit != Column::Fit::Shorten) continue;
    std::set<std::string> texts;
    for (const Row& row : rows_) texts.insert(row[column].text);
    const std::size_t length = distinctLengthOf(texts);
    for (Row& row : rows_) {
      std::string& text = row[column].text;
      if (text.find(' ') == std::string::npos) text.resize(std::min(text.size(), length));
    }
  }
}

/// Without a broken word: only columns to be wrapped are narrower than their texts.
Table::Widths Table::wordWidths() const {
  Widths widths = widthsBy(columnsOf);
  const Widths words = widthsBy(longestWordOf);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (columns_[i].fit == Column::Fit::Wrap) widths[i] = words[i];
  }
  return widths;
}

/// One without texts first. False if all columns are important.
bool Table::leaveOutOne() {
  const auto isEmpty = [this](const Column& column) {
    const auto index = static_cast<std::size_t>(&column - columns_.data());
    return std::ranges::all_of(rows_, [index](const Row& row) { return row[index].text.empty(); });
  };
  auto least = std::ranges::find_if(columns_, isEmpty);
  if (least == columns_.end()) {
    least = std::ranges::max_element(columns_, {}, &Column::importance);
    if (least == columns_.end() || least->importance == 0) return false;
  }
  const auto index = least - columns_.begin();
  columns_.erase(least);
  for (Row& row : rows_) row.erase(row.begin() + index);
  return true;
}

std::string Table::line(const Row& row, const Widths& widths, const Terminal& terminal) const {
  std::vector<std::vector<std::string>> parts;
  std::size_t height = 1;
  for (std::size_t column = 0; column < row.size(); ++column) {
    parts.push_back(wrapped(row[column].text, std::max(widths[column], std::size_t{1})));
    height = std::max(height, parts.back().size());
  }
  std::string text;
  for (std::size_t number = 0; number < height; ++number) {
    std::size_t pending = 0;  // blanks before the next cell: none at the end of a line
    for (std::size_t column = 0; column < row.size(); ++column) {
      const std::string part = number < parts[column].size() ? parts[column][number] : "";
      const std::size_t padding = widths[column] - std::min(widths[column], columnsOf(part));
      const std::size_t before = columns_[column].right ? padding : 0;
      pending += before;
      if (!part.empty()) {
        text.append(pending, ' ').append(terminal.in(row[column].colour, part));
        pending = 0;
      }
      pending += padding - before + kGap;
    }
    text += '\n';
  }
  return text;
}

std::string Table::text(const Terminal& terminal) const {
  const std::size_t width = terminal.isComplete() ? Terminal::kUnlimited : terminal.width;
  Table table = *this;
  if (sumOf(table.widthsBy(columnsOf)) > width) table.shorten();
  while (sumOf(table.wordWidths()) > width && table.leaveOutOne()) {}
  Widths widths = table.widthsBy(columnsOf);
  narrow(widths, table.wordWidths(), width);
  narrow(widths, table.widthsBy([](std::string_view) { return std::size_t{0}; }), width);
  Row titles;
  for (const Column& column : table.columns_) titles.push_back({column.title});
  const bool titled = std::ranges::any_of(titles, [](const Cell& title) { return !title.text.empty(); });
  std::string text = titled ? table.line(titles, widths, terminal) : "";
  for (const Row& row : table.rows_) text += table.line(row, widths, terminal);
  return text;
}

}  // namespace pons::ctl
