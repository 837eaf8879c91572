// Tables for people: columns in line, as wide as the screen where that is possible.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugin/ctl/screen.h"

namespace pons::tools {

/// The length at which those that differ still do when they are cut; no less than 12.
std::size_t tellingLengthOf(const std::set<std::string>& texts);

/// Lines of whole words, none longer than `width` characters unless a word is; at least one line.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

struct Cell {
  std::string text;
  Colour colour = Colour::None;
};

struct Column {
  /// What may happen to it where the table is wider than the screen.
  enum class Fit : unsigned char {
    Whole,
    Shorten,  ///< single words are cut to a length at which all that differ still do, but to no less than 12
    Wrap,     ///< broken between words into several lines
  };

  std::string title;
  Fit fit = Fit::Whole;
  bool right = false;  ///< numbers
};

using Row = std::vector<Cell>;

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns.
  void add(Row row);
  bool empty() const { return rows_.empty(); }

  /// With the titles, where there are any, as its first line. Wider than the screen only where a single word is.
  std::string text(const Screen& screen) const;

 private:
  using Widths = std::vector<std::size_t>;

  std::size_t lengthOf(std::size_t column, const std::vector<Row>& rows) const;
  void shorten(std::vector<Row>& rows) const;
  Widths widthsFor(const std::vector<Row>& rows, std::size_t width) const;
  std::string line(const Row& row, const Widths& widths, const Screen& screen) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace pons::tools
