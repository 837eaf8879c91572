#include "netlib/netlink/message.h"

#include <doctest/doctest.h>

using namespace netlib;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes bytes;
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

Bytes inHostOrder(const auto& number) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&number);
  return {bytes, bytes + sizeof number};
}

Bytes attribute(std::uint16_t length, std::uint16_t type, const Bytes& payload = {}) {
  return joined({inHostOrder(length), inHostOrder(type), payload});
}

}  // namespace

TEST_CASE("Attributes are read by type, the last of a type counts, and flags of a type do not matter") {
  const Bytes bytes = joined({attribute(5, 1, {7, 0, 0, 0}), attribute(8, 2, inHostOrder(0x04030201U)),
                              attribute(7, 3, {'a', 'b', 0, 0}), attribute(5, 1, {9, 0, 0, 0}),
                              attribute(12, 4 | NLA_F_NESTED, attribute(8, 1, inHostOrder(1U))), attribute(4, 5)});
  const Attributes attributes{bytes};
  CHECK(attributes.u8(1) == 9);
  CHECK(attributes.u32(2) == 0x04030201U);
  CHECK(attributes.text(3) == "ab");
  CHECK(attributes.nested(4).u32(1) == 1);
  CHECK(attributes.bytes(5)->empty());
  CHECK(!attributes.bytes(6));
  CHECK(!attributes.u32(1));
  CHECK(!attributes.u8(2));
  CHECK(!attributes.nested(6).u8(1));
  REQUIRE(attributes.all(1).size() == 2);
  CHECK(attributes.all(1)[0].front() == 7);
  CHECK(attributes.all(1)[1].front() == 9);
  CHECK(attributes.all(6).empty());
}

TEST_CASE("Malformed attributes end the list, and nothing behind the end is read") {
  const Bytes good = attribute(5, 1, {7, 0, 0, 0});
  for (const Bytes& bad : {attribute(0, 2), attribute(3, 2), attribute(9, 2, {1, 1, 1, 1}), attribute(0xffff, 2),
                           Bytes{5, 0, 2}, Bytes{5}}) {
    const Bytes bytes = joined({good, bad});
    const Attributes attributes{bytes};
    CHECK(attributes.u8(1) == 7);
    CHECK(!attributes.bytes(2));
  }
  const Bytes text = attribute(6, 1, {'a', 'b'});  // neither NUL nor padding
  CHECK(Attributes{text}.text(1) == "ab");
}

TEST_CASE("A message too short for its header has none, and no attributes") {
  Bytes bytes(NLMSG_HDRLEN + 7);
  CHECK(!Message{bytes}.family<std::uint64_t>());
  CHECK(!Message{bytes}.attributes<std::uint64_t>().bytes(0));
  bytes.resize(NLMSG_HDRLEN + 8);
  CHECK(Message{bytes}.family<std::uint64_t>() == 0U);
}

TEST_CASE("A batch counts and names its requests") {
  Batch batch;
  CHECK(batch.empty());
  batch.begin(1, 0, std::uint32_t{0}, "first");
  {
    const auto outer = batch.nest(1);
    const auto inner = batch.nest(2);
    batch.putU32(3, 4);
  }
  batch.begin(2, 0, std::uint32_t{0}, "second");
  CHECK(batch.count() == 2);
  CHECK(batch.what(0) == "first");
  CHECK(batch.what(1) == "second");
}

TEST_CASE("A message that may be too long for its attributes is not written, and its batch says so") {
  Batch batch;
  bool isWritten = false;
  const auto write = [&](char* buffer) {
    isWritten = true;
    auto* header = reinterpret_cast<nlmsghdr*>(buffer);
    *header = {};
    header->nlmsg_len = sizeof *header;
  };
  batch.append("small", sizeof(nlmsghdr), write);
  CHECK(isWritten);
  CHECK(batch.message(0).nlmsg_len == sizeof(nlmsghdr));
  isWritten = false;
  batch.append("large", 70000, write);
  CHECK(!isWritten);
  CHECK(batch.overflowed());
  CHECK(batch.count() == 1);
  Batch onlyLarge;
  onlyLarge.append("large", 70000, write);
  CHECK(!onlyLarge.empty());
}
