// The list of an attachment's fields is complete, and what follows from it: the record, the comparison, the manual.
#include "plugin/model/attachment_fields.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "plugin/json/json.h"
#include "plugin/ledger/record.h"

#include "tests/support/differing_fields.h"
#include "tests/support/filled_attachment.h"
#include "tests/support/text.h"

using pons::Attachment;
using pons::RecordState;
using pons::visitFields;  // for VlanRange, which is of netlib
using support::filledAttachment;

namespace {

struct Row {
  std::string path;  ///< "leases[].gateway"
  std::string type;
  std::string otherwise;  ///< empty if the member must be present
};

/// The rows of the table in pons(8), from an attachment in which nothing is absent or empty.
class FieldTable {
 public:
  template <class T>
  void operator()(std::string_view name, T& field) {
    add(std::string{name}, field, "");
  }
  template <class T>
  void operator()(std::string_view name, T& field, const pons::Otherwise<T>& otherwise) {
    std::string text = "none";
    if constexpr (std::is_same_v<T, const bool>) text = otherwise ? "true" : "false";
    if constexpr (std::is_enum_v<T>) text = std::string{nameOf(otherwise)};
    add(std::string{name}, field, text.empty() ? "none" : text);
  }
  void nested(std::string_view name, auto visitMembers) {
    rows.push_back({std::string{name}, "object", ""});
    inside(std::string{name} + ".", [&] { visitMembers(*this); });
  }

  std::vector<Row> rows;

 private:
  template <class T>
  void add(const std::string& name, const std::optional<T>& field, const std::string& otherwise) {
    add(name, *field, otherwise);
  }
  template <class T>
  void add(const std::string& name, const std::vector<T>& field, const std::string& otherwise) {
    add(name + "[]", field.front(), otherwise);
  }
  template <class T>
  void add(const std::string& name, const T& field, const std::string& otherwise) {
    rows.push_back({prefix_ + name, typeOf(field), otherwise});
    if constexpr (requires { visitFields(*this, field); }) {
      inside(name + ".", [&] { visitFields(*this, field); });
    }
  }

  void inside(const std::string& name, auto visitMembers) {
    const std::string outer = prefix_;
    prefix_ += name;
    visitMembers();
    prefix_ = outer;
  }

  template <class T>
  static std::string typeOf(const T& /*field*/) {
    if constexpr (std::is_same_v<T, bool>) return "boolean";
    if constexpr (std::is_same_v<T, pons::Port>) return "port";
    if constexpr (std::is_integral_v<T>) return "number";
    if constexpr (std::is_enum_v<T>) return "word";
    if constexpr (std::is_same_v<T, std::string>) return "text";
    if constexpr (std::is_same_v<T, netlib::IfName>) return "interface";
    if constexpr (std::is_same_v<T, netlib::IpAddress>) return "address";
    if constexpr (std::is_same_v<T, netlib::IpPrefix>) return "prefix";
    if constexpr (std::is_same_v<T, netlib::MacAddress>) return "MAC";
    if constexpr (std::is_same_v<T, pons::AddressSpan>) return "range";
    if constexpr (std::is_same_v<T, pons::NetworkName> || std::is_same_v<T, pons::ContainerId>) return "name";
    return "object";
  }

  std::string prefix_;
};

std::vector<Row> tableOf(const Attachment& attachment) {
  FieldTable table;
  visitFields(table, attachment);
  return table.rows;
}

/// JSON text of the value without one of its members: the one that `countdown` members precede, whose path is noted.
class Omission {
 public:
  explicit Omission(int countdown) : countdown_(countdown) {}

  std::string textOf(const pons::json::Value& value, const std::string& path = "") {
    if (!value.isObject() && !value.isArray()) return value.text();
    std::string text;
    for (const auto& element : value.items()) text += (text.empty() ? "" : ",") + textOf(element, path + "[]");
    if (value.isArray()) return "[" + text + "]";
    for (const auto& [name, member] : value.members()) {
      const std::string memberPath = path + (path.empty() ? "" : ".") + std::string{name};
      if (countdown_-- == 0) {
        omitted = memberPath + (member.isArray() ? "[]" : "");
        continue;
      }
      text += (text.empty() ? "\"" : ",\"") + std::string{name} + "\":" + textOf(member, memberPath);
    }
    return "{" + text + "}";
  }

  std::string omitted;

 private:
  int countdown_;
};

std::string lastNameIn(std::string path) {
  if (path.ends_with("[]")) path.resize(path.size() - 2);
  return path.substr(path.rfind('.') + 1);
}

std::string compact(const std::string& record) {
  return Omission{-1}.textOf(pons::json::Document::parse(record).value().root());
}

}  // namespace

// A field that is in the struct and not in the list is filled, but not written: the record reads as another attachment.
TEST_CASE("every field of an attachment is in its record") {
  for (const bool flags : {false, true}) {
    for (const RecordState state : {RecordState::Claimed, RecordState::Committed, RecordState::Deleting}) {
      const Attachment filled = filledAttachment(flags);
      const auto record = pons::decodeRecord(pons::encodeRecord(filled, state));
      REQUIRE_MESSAGE(record.ok(), record.error().message);
      CHECK(support::differingFields(record->attachment, filled) == "");
      CHECK_MESSAGE(record->attachment == filled, "a field is not in attachment_fields.h");
      CHECK(record->state == state);
    }
  }
}

TEST_CASE("an attachment with defaults is read as it was written, and its record has the required members alone") {
  const Attachment plain = pons::bareAttachment(support::keyOf("c1"), pons::BridgeSettings{}.name);
  const std::string text = pons::encodeRecord(plain, RecordState::Claimed);
  CHECK(pons::decodeRecord(text)->attachment == plain);
  const auto document = pons::json::Document::parse(text).value();
  for (const Row& row : tableOf(filledAttachment(true))) {
    if (row.path.find('.') != std::string::npos) continue;
    CHECK_MESSAGE(document[row.path.substr(0, row.path.find('['))].present() == row.otherwise.empty(), row.path);
  }
}

TEST_CASE("without a member a record has its default, or is damaged and the error names it") {
  for (const bool flags : {false, true}) {
    const auto document =
        pons::json::Document::parse(pons::encodeRecord(filledAttachment(flags), RecordState::Committed)).value();
    std::vector<Row> rows = tableOf(filledAttachment(flags));
    rows.push_back({"format", "number", ""});
    rows.push_back({"state", "word", ""});
    std::size_t omissions = 0;
    for (;; ++omissions) {
      Omission omission{static_cast<int>(omissions)};
      const std::string text = omission.textOf(document.root());
      if (omission.omitted.empty()) break;
      CAPTURE(omission.omitted);
      const auto row = std::ranges::find(rows, omission.omitted, &Row::path);
      const bool isRequired = row != rows.end() && row->otherwise.empty();  // no row: one of the sysctls
      const auto record = pons::decodeRecord(text);
      REQUIRE(record.ok() == !isRequired);
      if (record.ok()) {
        CHECK(compact(pons::encodeRecord(record->attachment, record->state)) == text);
      } else if (row->type != "object") {  // else the first member of the object is named
        CHECK(record.error().message.find("\"" + lastNameIn(row->path) + "\"") != std::string::npos);
      }
    }
    CHECK(omissions > rows.size());  // each of the two elements of lists
  }
}

TEST_CASE("a record of the first pons is read, with the defaults of the members that it lacks") {
  constexpr std::string_view kFirst = R"({"format": 1, "network": "demo", "container": "c1", "ifName": "eth%e9",
    "netns": {"path": "/run/netns/c1", "device": 4, "inode": -1},
    "bridge": {"name": "br0", "gateway": true, "promiscuous": false, "forceAddress": false},
    "hostVeth": "ponsef372a3e6e3", "hostMac": "0a:00:00:00:00:01", "containerMac": "0a:00:00:00:00:02", "mtu": 1400,
    "hairpin": false, "isolated": false, "detectDuplicateAddresses": false, "containerInterfaceDown": false,
    "leases": [{"address": "10.42.0.7/24", "gateway": "10.42.0.1"}], "routes": [],
    "sourceNats": [{"masquerade": true, "subnets": ["10.42.0.0/24"], "destinations": []}],
    "forwards": [{"protocol": "tcp", "hostAddress": "0.0.0.0", "hostPort": 8080, "target": "10.42.0.7",
                  "targetPort": 80}],
    "state": "committed"})";
  Attachment expected = support::attachmentOf(
      support::keyOf("c1", "demo", "eth\xe9"), {{support::prefix("10.42.0.7/24"), support::ip("10.42.0.1")}},
      {{pons::Protocol::Tcp, support::ip("0.0.0.0"), 8080, support::ip("10.42.0.7"), 80}});
  expected.bridge.name = netlib::IfName::parse("br0").value();
  expected.hostVeth = netlib::IfName::parse("ponsef372a3e6e3").value();
  expected.netns.inode = ~std::uint64_t{0};
  expected.mtu = 1400;
  expected.hairpin = false;
  const auto record = pons::decodeRecord(kFirst);
  REQUIRE_MESSAGE(record.ok(), record.error().message);
  CHECK(support::differingFields(record->attachment, expected) == "");
  CHECK(record->attachment == expected);
}

TEST_CASE("the fields in which two attachments differ are named as in the record") {
  const Attachment one = filledAttachment(true);
  CHECK(support::differingFields(one, one) == "");
  Attachment other = one;
  other.netnsPath += "x";
  ++other.netns.inode;
  other.savedTuning.reset();
  other.bridge.gateway = false;
  other.leases.pop_back();
  other.key.plugin = pons::ChainedPlugin::None;
  CHECK(support::differingFields(one, other) == "part bridge netns.path netns.inode leases untuned");
  CHECK(support::differingFields(one, other) == support::differingFields(other, one));
}

TEST_CASE("pons(8) has each member of a record, its type and what a record without it means, and no other member") {
  const std::string page = support::contentOf(PONS_SOURCE_DIR "/scripts/man/pons.8");
  std::string table;
  for (const Row& row : tableOf(filledAttachment(true))) {
    table +=
        ".It Li " + row.path + " Ta " + row.type + " Ta " + (row.otherwise.empty() ? "damaged" : row.otherwise) + "\n";
  }
  const std::size_t begin = page.find(".It Li network Ta");
  REQUIRE(begin != std::string::npos);
  CHECK(page.substr(begin, page.find(".It Li state Ta", begin) - begin) == table);
}
