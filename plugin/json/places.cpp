// Line and column of values and syntax errors, for messages.
#include <algorithm>

#include "netlib/base/text.h"

#include "plugin/json/json.h"
#include "plugin/json/rapid.h"

namespace pons::json {

namespace {

/// A SAX handler that tracks the path of the current value. The names of its methods are RapidJSON's.
// NOLINTBEGIN(readability-identifier-naming)
class Tracker : public rapidjson::BaseReaderHandler<Utf8, Tracker> {
 public:
  Tracker(const rapidjson::MemoryStream& stream, std::string_view text, std::string_view wanted)
      : stream_(stream), text_(text), wanted_(wanted) {}

  std::optional<std::size_t> found() const { return found_; }

  /// For every value that is neither an object nor an array.
  bool Default() { return value(); }
  bool StartObject() { return begin(false); }
  bool Key(const char* name, std::size_t length, bool /*copy*/) {
    levels_.back().key = {name, length};
    last_ = stream_.Tell();
    return true;
  }
  bool EndObject(std::size_t /*count*/) { return end(); }
  bool StartArray() { return begin(true); }
  bool EndArray(std::size_t /*count*/) { return end(); }

 private:
  struct Level {
    bool isArray;
    std::string key = {};
    std::size_t index = 0;
  };

  std::string path() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.isArray) {
        path += "[" + std::to_string(level.index) + "]";
      } else {
        path += (path.empty() ? "" : ".") + level.key;
      }
    }
    return path;
  }

  /// A value begins after the previous token and the separators. The last of several members with one name counts, as
  /// in Value::operator[].
  void note() {
    if (!netlib::equalIgnoringCase(path(), wanted_)) return;
    found_ = text_.find_first_not_of(" \t\r\n,:", last_);
  }
  bool value() {
    note();
    return next();
  }
  bool begin(bool isArray) {
    note();
    last_ = stream_.Tell();
    levels_.push_back({isArray});
    return true;
  }
  bool end() {
    levels_.pop_back();
    return next();
  }
  bool next() {
    if (!levels_.empty() && levels_.back().isArray) ++levels_.back().index;
    last_ = stream_.Tell();
    return true;
  }

  const rapidjson::MemoryStream& stream_;
  std::string_view text_;
  std::string_view wanted_;
  std::vector<Level> levels_;
  std::size_t last_ = 0;
  std::optional<std::size_t> found_;
};
// NOLINTEND(readability-identifier-naming)

}  // namespace

Place placeAt(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  const std::size_t lineStart = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  return {line, before.size() - lineStart + 1};
}

std::optional<Place> placeOf(std::string_view text, std::string_view path) {
  if (isTooDeep(text)) return std::nullopt;
  rapidjson::MemoryStream stream{text.data(), text.size()};
  Tracker tracker{stream, text, path};
  rapidjson::Reader reader;
  reader.Parse(stream, tracker);
  const auto offset = tracker.found();
  return offset ? std::optional{placeAt(text, *offset)} : std::nullopt;
}

}  // namespace pons::json
