// Tables with aligned columns and wrapped text, at most as wide as the terminal if possible.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugin/ctl/terminal.h"

namespace pons::ctl {

/// The prefix length at which different texts are still different; at least that of a shortened container ID.
std::size_t distinctLengthOf(const std::set<std::string>& texts);

/// Wraps between words, and breaks words longer than `width`, which is not 0; at least one line.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

/// The text on lines of its own that begin with `indent` blanks, wrapped to the terminal's width. Control characters
/// are escaped.
std::string paragraph(std::string_view text, std::size_t indent, const Terminal& terminal,
                      Colour colour = Colour::None);

/// Wraps each longer line, below its own beginning: in "  --wide   Print all", below "Print".
std::string hanging(std::string_view text, std::size_t width);

struct Cell {
  std::string text;
  Colour colour = Colour::None;
};

struct Column {
  /// How it is narrowed if the table is wider than the terminal. If that does not suffice, words are broken.
  enum class Fit : unsigned char {
    Whole,
    Shorten,  ///< texts of one word are cut to distinctLengthOf() characters
    Wrap,     ///< wrapped between words
  };

  std::string title;
  Fit fit = Fit::Whole;
  bool right = false;       ///< right-aligned
  unsigned importance = 0;  ///< 0: shown if it has a text; else left out, the highest first, if it is still too wide
};

using Row = std::vector<Cell>;

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell per column. Control characters are escaped.
  void add(Row row);

  /// The first line has the titles, if any. Wider than the terminal only if the titles of the important columns are.
  std::string text(const Terminal& terminal) const;

 private:
  using Widths = std::vector<std::size_t>;

  /// For each column that of its longest text, as `measure` has it, or of its title.
  Widths widthsBy(std::size_t (*measure)(std::string_view text)) const;
  void shorten();
  Widths wordWidths() const;
  bool leaveOutOne();
  std::string line(const Row& row, const Widths& widths, const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace pons::ctl
