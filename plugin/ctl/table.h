// Tables with aligned columns and wrapped text, at most as wide as the terminal if possible.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugin/ctl/terminal.h"

namespace pons::ctl {

/// The prefix length at which different texts are still different; at least 12.
std::size_t distinctLengthOf(const std::set<std::string>& texts);

/// Wraps between words; at least one line. A line is longer than `width` characters only if it is one longer word.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

/// The text on lines of its own that begin with `indent` blanks, wrapped to the terminal's width. Control characters
/// are escaped.
std::string paragraph(std::string_view text, std::size_t indent, const Terminal& terminal,
                      Colour colour = Colour::None);

struct Cell {
  std::string text;
  Colour colour = Colour::None;
};

struct Column {
  /// How it is narrowed if the table is wider than the terminal.
  enum class Fit : unsigned char {
    Whole,
    Shorten,  ///< texts of one word are cut to distinctLengthOf() characters
    Wrap,     ///< wrapped between words
  };

  std::string title;
  Fit fit = Fit::Whole;
  bool right = false;       ///< right-aligned
  unsigned importance = 0;  ///< 0: always shown; else left out, the highest first, if the table is still too wide
};

using Row = std::vector<Cell>;

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell per column. Control characters are escaped.
  void add(Row row);

  /// The first line has the titles, if any. Wider than the terminal only if no column can be narrowed or left out.
  std::string text(const Terminal& terminal) const;

 private:
  using Widths = std::vector<std::size_t>;

  std::size_t lengthOf(std::size_t column) const;
  void shorten();
  Widths widthsFor(std::size_t width) const;
  bool fits(std::size_t width) const;
  bool leaveOutOne();
  std::string line(const Row& row, const Widths& widths, const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace pons::ctl
