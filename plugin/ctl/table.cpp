#include "plugin/ctl/table.h"

#include <algorithm>
#include <numeric>

#include "netlib/base/utf8.h"

namespace pons::ctl {

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kShortest = 12;

/// The number of code points: UTF-8 continuation bytes are not counted.
std::size_t columnsOf(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::size_t longestWordOf(std::string_view text) {
  std::size_t longest = 0;
  for (const std::string& word : wrapped(text, 0)) longest = std::max(longest, columnsOf(word));
  return longest;
}

std::size_t sumOf(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines{""};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string& last = lines.back();
    if (last.empty()) {
      last = word;
    } else if (columnsOf(last) + 1 + columnsOf(word) <= width) {
      last.append(1, ' ').append(word);
    } else {
      lines.emplace_back(word);
    }
  }
  return lines;
}

std::string paragraph(std::string_view text, std::size_t indent, const Terminal& terminal, Colour colour) {
  std::string lines;
  for (const std::string& line : wrapped(netlib::printable(text), terminal.width - std::min(terminal.width, indent))) {
    lines.append(indent, ' ').append(terminal.in(colour, line)).append("\n");
  }
  return lines;
}

std::size_t distinctLengthOf(const std::set<std::string>& texts) {
  std::size_t length = kShortest;
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

std::size_t Table::lengthOf(std::size_t column) const {
  std::size_t length = columns_[column].title.size();
  for (const Row& row : rows_) length = std::max(length, columnsOf(row[column].text));
  return length;
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

/// Narrows the widest column that can be wrapped first, down to its longest word.
Table::Widths Table::widthsFor(std::size_t width) const {
  Widths widths;
  Widths least;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    widths.push_back(lengthOf(column));
    least.push_back(columns_[column].title.size());
    for (const Row& row : rows_) least.back() = std::max(least.back(), longestWordOf(row[column].text));
    if (columns_[column].fit != Column::Fit::Wrap) least.back() = widths.back();
  }
  while (sumOf(widths) > width) {
    std::size_t widest = columns_.size();
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      if (widths[column] <= least[column]) continue;
      if (widest == columns_.size() || widths[column] > widths[widest]) widest = column;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
  }
  return widths;
}

bool Table::fits(std::size_t width) const { return sumOf(widthsFor(width)) <= width; }

/// False if all columns are important.
bool Table::leaveOutOne() {
  const auto least = std::ranges::max_element(columns_, {}, &Column::importance);
  if (least == columns_.end() || least->importance == 0) return false;
  const auto index = least - columns_.begin();
  columns_.erase(least);
  for (Row& row : rows_) row.erase(row.begin() + index);
  return true;
}

std::string Table::line(const Row& row, const Widths& widths, const Terminal& terminal) const {
  std::vector<std::vector<std::string>> parts;
  std::size_t height = 1;
  for (std::size_t column = 0; column < row.size(); ++column) {
    const bool breaks = columns_[column].fit == Column::Fit::Wrap;
    parts.push_back(breaks ? wrapped(row[column].text, widths[column]) : std::vector{row[column].text});
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
  const std::size_t width = terminal.wide ? SIZE_MAX : terminal.width;
  Table table = *this;
  if (sumOf(table.widthsFor(SIZE_MAX)) > width) table.shorten();
  while (!table.fits(width) && table.leaveOutOne()) {}
  const Widths widths = table.widthsFor(width);
  Row titles;
  for (const Column& column : table.columns_) titles.push_back({column.title});
  const bool titled = std::ranges::any_of(titles, [](const Cell& title) { return !title.text.empty(); });
  std::string text = titled ? table.line(titles, widths, terminal) : "";
  for (const Row& row : table.rows_) text += table.line(row, widths, terminal);
  return text;
}

}  // namespace pons::ctl
