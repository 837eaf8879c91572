// One renderer for all commands: a command builds one JSON document, and its text is made from that document alone.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "plugin/ctl/arguments.h"
#include "plugin/ctl/table.h"
#include "plugin/json/json.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

/// A column of a table: its cell for one row.
template <class Item>
struct ColumnOf {
  std::string title;
  std::function<Cell(const Item& row)> cell;
  Column::Fit fit = Column::Fit::Whole;
  bool right = false;
  unsigned importance = 0;  ///< see Column
};
using ReportColumn = ColumnOf<json::Value>;

/// One line per row. With terminal.wide no column is left out or narrowed.
template <class Item>
std::string tableOf(const std::vector<Item>& rows, const std::vector<ColumnOf<std::type_identity_t<Item>>>& columns,
                    const Terminal& terminal) {
  std::vector<Column> heads;
  for (const auto& column : columns) heads.push_back({column.title, column.fit, column.right, column.importance});
  Table table{std::move(heads)};
  for (const Item& row : rows) {
    Row cells;
    for (const auto& column : columns) cells.push_back(column.cell(row));
    table.add(std::move(cells));
  }
  return table.text(terminal);
}

/// A line of a text about one thing: a name and a value.
struct Property {
  std::string name;
  Cell value;
};
using Properties = std::vector<Property>;
std::string propertiesText(const Properties& properties, const Terminal& terminal);

/// One line: a string as it is, a number or a boolean as JSON, the elements of an array separated by ", "; empty if
/// absent. Control characters are escaped.
std::string plainText(const json::Value& value);
/// False unless it is `true`.
bool isTrue(const json::Value& value);
/// 0 unless it is an integer, which no document has below 0.
std::uint64_t numberIn(const json::Value& value);
/// How many of these are, or have, that.
std::size_t countIf(const auto& all, const auto& predicate) {
  return static_cast<std::size_t>(std::ranges::count_if(all, predicate));
}

/// The cell with plainText() of a member.
std::function<Cell(const json::Value& row)> cellOf(const std::string& member);

/// The text of a parsed document.
using View = std::function<std::string(const json::Value& root, const Terminal& terminal)>;

/// `document` must be valid JSON.
std::string viewed(const std::string& document, const View& view, const Terminal& terminal);

/// The document as it is with --json, else its view. `problems` are printed to stderr, see linesOf().
Answer answer(const Arguments& arguments, const std::string& document, const View& view, int exitCode = 0,
              const std::vector<std::string>& problems = {});

}  // namespace pons::ctl
