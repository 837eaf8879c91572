// Datagrams of the kernel. libmnl's own walk over the same bytes has to come to the same messages and attributes.
#include <cstring>
#include <map>
#include <vector>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "netlib/netlink/answers.h"

#include "tests/fuzz/targets.h"

namespace {

using Bytes = std::span<const std::uint8_t>;

bool isInside(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool areEqual(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// The payload of the last attribute of each type, as libmnl sees them.
std::map<unsigned, Bytes> walked(Bytes bytes) {
  std::map<unsigned, Bytes> found;
  const auto* attribute = reinterpret_cast<const nlattr*>(bytes.data());
  auto left = static_cast<int>(bytes.size());
  while (mnl_attr_ok(attribute, left)) {
    found[mnl_attr_get_type(attribute)] = {static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
                                           mnl_attr_get_payload_len(attribute)};
    left -= static_cast<int>(MNL_ALIGN(mnl_attr_get_len(attribute)));
    attribute = mnl_attr_next(attribute);
  }
  return found;
}

/// The bytes are aligned as the kernel's are; below them are `depth` nests more to look at.
void checkAttributes(Bytes bytes, int depth) {
  constexpr unsigned kTypes = 80;  // rtnetlink has no larger ones
  const netlib::Attributes attributes{bytes};
  const auto expected = walked(bytes);
  for (unsigned type = 0; type < kTypes; ++type) {
    const auto found = attributes.bytes(type);
    const auto other = expected.find(type);
    HOLDS(found.has_value() == (other != expected.end()));
    if (!found) continue;
    HOLDS(isInside(*found, bytes));
    HOLDS(areEqual(*found, other->second));
    HOLDS(attributes.u8(type).has_value() == (found->size() == 1));
    HOLDS(attributes.u32(type).has_value() == (found->size() == 4));
    HOLDS(attributes.text(type)->size() <= found->size());
    HOLDS(attributes.structure<ifinfomsg>(type).has_value() == (found->size() >= sizeof(ifinfomsg)));
    if (depth > 0) checkAttributes(*found, depth - 1);
  }
}

void checkMessage(const netlib::Message& message) {
  const auto* header = &message.header();
  const std::size_t length = header->nlmsg_len;
  HOLDS(message.type() >= NLMSG_MIN_TYPE);
  HOLDS(message.family<ifinfomsg>().has_value() == (length >= NLMSG_HDRLEN + sizeof(ifinfomsg)));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
  constexpr std::size_t kAttributes = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(ifinfomsg));
  if (length >= kAttributes) checkAttributes({bytes + kAttributes, length - kAttributes}, 2);
}

/// The messages that libmnl finds, up to the first impossible one.
std::size_t countMessages(const std::vector<std::uint8_t>& datagram, bool& whole) {
  std::size_t count = 0;
  const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
  auto left = static_cast<int>(datagram.size());
  // libmnl takes a length of 2^31 and more for a negative one, and then never comes to an end.
  while (mnl_nlmsg_ok(message, left) && static_cast<int>(message->nlmsg_len) > 0) {
    ++count;
    message = mnl_nlmsg_next(message, &left);
  }
  whole = left <= 0;
  return count;
}

}  // namespace

void fuzz::netlink(std::string_view input) {
  const std::vector<std::uint8_t> datagram(input.begin(), input.end());
  // Sequence numbers 1 to 3 are ours.
  netlib::Answers answers{1, 3};
  const auto taken = answers.parse(datagram);
  bool whole = true;
  const std::size_t count = countMessages(datagram, whole);
  HOLDS(!taken || whole);
  HOLDS(taken || taken.failedWith(netlib::Cause::Damaged));

  std::size_t messages = 0;
  for (const netlib::Answer& answer : answers.all()) {
    HOLDS(answer.error >= 0 && answer.error <= 4095);
    HOLDS(answer.complete || answer.error == 0);
    messages += answer.messages.size();
    for (const netlib::Message& message : answer.messages) checkMessage(message);
  }
  HOLDS(messages <= count);
  for (std::size_t i = 0; i < 3; ++i) {
    HOLDS(answers.complete(i) == (answers.all().front().error != 0 || answers.all()[i].complete));
  }
}
