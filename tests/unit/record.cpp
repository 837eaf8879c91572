#include "plugin/ledger/record.h"

#include <random>

#include <doctest/doctest.h>

#include "tests/support/attachments.h"

using pons::decodeRecord;
using pons::encodeRecord;
using pons::RecordState;
using support::fullAttachment;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t place = text.find(what);
  REQUIRE(place != std::string::npos);
  return text.replace(place, what.size(), with);
}

}  // namespace

TEST_CASE("any byte in the name of a sysctl is preserved, invalid UTF-8 as well") {
  for (const char* name : {"net/\xed\xb7\x9d", "net/\xff", "net/a%b", "net/\x01"}) {
    auto attachment = support::attachmentOf(support::keyOf("c1"), {});
    attachment.tuning = pons::Tuning{};
    attachment.tuning->sysctls.emplace(name, name);
    CHECK(decodeRecord(encodeRecord(attachment, RecordState::Claimed))->attachment == attachment);
  }
}

TEST_CASE("any byte in a path and in an interface name is preserved") {
  for (int byte = 1; byte < 256; ++byte) {
    auto attachment = fullAttachment();
    attachment.netnsPath = std::string("/x") + static_cast<char>(byte) + "y";
    const auto name = netlib::IfName::parse(std::string("e") + static_cast<char>(byte));
    if (name) attachment.key.ifName = *name;
    const auto record = decodeRecord(encodeRecord(attachment, RecordState::Claimed));
    REQUIRE(record.ok());
    CHECK(record->attachment == attachment);
  }
}

TEST_CASE("a record begins with its format and ends with a state of constant length") {
  const std::string claimed = encodeRecord(fullAttachment(), RecordState::Claimed);
  const std::string committed = encodeRecord(fullAttachment(), RecordState::Committed);
  CHECK(claimed.starts_with("{\n    \"format\": 1,"));
  CHECK(claimed.size() == committed.size());

  const std::string tail = pons::recordTail(RecordState::Committed);
  CHECK(claimed.ends_with(pons::recordTail(RecordState::Claimed)));
  CHECK(claimed.substr(0, claimed.size() - tail.size()) + tail == committed);
}

TEST_CASE("a newer format and a damaged record are different errors") {
  const std::string text = encodeRecord(fullAttachment(), RecordState::Claimed);
  const auto newer = decodeRecord(replaced(text, "\"format\": 1", "\"format\": 2"));
  CHECK(newer.failedWith(netlib::Cause::Unsupported));
  CHECK(newer.error().message.find("written by a newer pons") != std::string::npos);
  CHECK(decodeRecord(replaced(text, "\"format\": 1", "\"format\": 0")).failedWith(netlib::Cause::Damaged));
  CHECK(decodeRecord(replaced(text, "\"format\": 1,", "")).failedWith(netlib::Cause::Damaged));
}

TEST_CASE("an optional part of another type is damage, not an empty part") {
  const std::string plain = encodeRecord(support::attachmentOf(support::keyOf("c1"), {}), RecordState::Claimed);
  for (const std::string member : {"bandwidth", "tuning", "untuned", "egress", "delegated", "resolvConf"}) {
    for (const std::string value : {"5", "[]", "\"x\"", "true"}) {
      CAPTURE(member);
      CAPTURE(value);
      const auto record =
          decodeRecord(replaced(plain, "\"forwards\"", "\"" + member + "\": " + value + ", \"forwards\""));
      REQUIRE(record.failedWith(netlib::Cause::Damaged));
      CHECK(record.error().message.find("\"" + member + "\"") != std::string::npos);
    }
  }
}

TEST_CASE("every member is checked as strictly as the configuration was") {
  auto attachment = fullAttachment();
  attachment.guard = pons::SpoofGuard::Address;
  attachment.egress = pons::EgressPolicy{.destinations = {support::prefix("10.0.0.0/8")},
                                         .tcpPorts = {443},
                                         .udpPorts = {},
                                         .nameservers = {support::ip("fd00::53")}};
  const std::string text = encodeRecord(attachment, RecordState::Claimed);
  const std::pair<const char*, const char*> damages[] = {
      {"\"hostPort\": 8080", "\"hostPort\": 0"},
      {"\"hostPort\": 8080", "\"hostPort\": 65536"},
      {"\"tcp\"", "\"icmp\""},
      {"\"10.42.0.7/24\"", "\"10.42.0.7/33\""},
      {"\"c0ffee\"", "\"../c0ffee\""},
      {"\"demo.net\"", "\"\""},
      {"eth0%e9", "a/b"},
      {"eth0%e9", "eth0%e"},
      {"0a:00:00:00:00:01", "0a:00:00:00:00"},
      {"\"mtu\": 4294967295", "\"mtu\": 4294967296"},
      {"\"scope\": 253", "\"scope\": 256"},
      {"\"hairpin\": false", "\"hairpin\": 0"},
      {"\"acceptForward\": true", "\"acceptForward\": 1"},
      {"\"ingress\": \"isolated\"", "\"ingress\": \"closed\""},
      {"\"gateway\": \"10.42.0.1\"", "\"gateway\": \"fd00::1\""},
      {"\"10.42.0.0/24\"", "\"10.42.0.1/24\""},
      {"\"rate\": 8", "\"rate\": 7"},
      {"\"burst\": 4294967295", "\"burst\": -1"},
      {"\"claimed\"", "\"kept\""},
      {"\"target\": \"10.42.0.7\"", "\"target\": \"fd00::7\""},
      {"\"guard\": \"address\"", "\"guard\": \"addresses\""},
      {" 443\n", " 65536\n"},
      {" 443\n", " 0\n"},
      {"fd00::53", "fd00"},
      {"10.42.0.2-10.42.0.99", "10.42.0.99-10.42.0.2"},
      {"10.42.0.2-10.42.0.99", "10.42.0.2-fd00::2"},
      {"10.42.0.2-10.42.0.99", "10.42.0.2"},
  };
  for (const auto& [what, with] : damages) {
    CAPTURE(with);
    CHECK(decodeRecord(replaced(text, what, with)).failedWith(netlib::Cause::Damaged));
  }
}

TEST_CASE("a record truncated at any byte is an error") {
  const std::string text = encodeRecord(fullAttachment(), RecordState::Claimed);
  const std::size_t end = text.rfind('}');
  for (std::size_t length = 0; length <= end; ++length) {
    CAPTURE(length);
    CHECK(decodeRecord(std::string_view(text).substr(0, length)).failedWith(netlib::Cause::Damaged));
  }
  CHECK(decodeRecord(std::string_view(text).substr(0, end + 1)).ok());
}

TEST_CASE("flipped bits and noise are errors or another valid record, never a crash") {
  const std::string text = encodeRecord(fullAttachment(), RecordState::Claimed);
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto record = decodeRecord(flipped);
    if (record.ok()) {
      CHECK(decodeRecord(encodeRecord(record->attachment, record->state))->attachment == record->attachment);
    } else {
      CHECK((record.failedWith(netlib::Cause::Damaged) || record.failedWith(netlib::Cause::Unsupported)));
    }
  }
  std::mt19937 random{1};
  for (int round = 0; round < 2000; ++round) {
    std::string noise(random() % 200, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    CHECK(decodeRecord(noise).failedWith(netlib::Cause::Damaged));
  }
}
