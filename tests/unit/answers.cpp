#include "netlib/netlink/answers.h"

#include <doctest/doctest.h>

using namespace netlib;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kFirst = 100;

template <class Object>
void append(Bytes& to, const Object& object) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&object);
  to.insert(to.end(), bytes, bytes + sizeof object);
}
void append(Bytes& to, const Bytes& bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
void align(Bytes& bytes) {
  while (bytes.size() % 4 != 0) bytes.push_back(0);
}

Bytes message(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, const Bytes& payload) {
  Bytes bytes;
  append(bytes, nlmsghdr{.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()),
                         .nlmsg_type = type,
                         .nlmsg_flags = flags,
                         .nlmsg_seq = sequence,
                         .nlmsg_pid = 0});
  append(bytes, payload);
  return bytes;
}

Bytes attribute(std::uint16_t type, const std::string& text) {
  Bytes bytes;
  append(bytes, nlattr{.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + text.size() + 1), .nla_type = type});
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.push_back(0);
  align(bytes);
  return bytes;
}

// An error message with the request that it echoes (of that many bytes behind its header) and attributes.
Bytes error(int code, std::uint16_t flags, std::size_t echoed, const Bytes& attributes,
            std::uint32_t sequence = kFirst) {
  Bytes payload;
  nlmsgerr head{};
  head.error = code;
  head.msg.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + echoed);
  append(payload, head);
  if ((flags & NLM_F_CAPPED) == 0) payload.resize(payload.size() + NLMSG_ALIGN(echoed), 0xee);
  append(payload, attributes);
  return message(NLMSG_ERROR, flags, sequence, payload);
}

Bytes number(std::int32_t value) {
  Bytes bytes;
  append(bytes, value);
  return bytes;
}

constexpr std::uint16_t kData = NLMSG_MIN_TYPE + 4;
constexpr std::optional<std::size_t> kAcknowledged = 0;
constexpr std::optional<std::size_t> kQuestion = std::nullopt;

}  // namespace

TEST_CASE("Of a dump only the messages that are wanted are kept; its end and its errors are seen all the same") {
  const Bytes payload{1, 2, 3, 4};
  Bytes dump;
  for (const std::uint16_t type : {kData, std::uint16_t{kData + 1}, kData}) {
    append(dump, message(type, NLM_F_MULTI, kFirst, payload));
  }
  append(dump, message(NLMSG_DONE, NLM_F_MULTI, kFirst, number(-EPERM)));
  for (const std::uint16_t wanted : {kData, std::uint16_t{kData + 1}, std::uint16_t{kData + 2}}) {
    std::size_t seen = 0;
    Answers answers{kFirst, 1, [&](std::span<const std::uint8_t> bytes) {
                      ++seen;
                      return Message{bytes}.type() == wanted;
                    }};
    REQUIRE(answers.parse(dump).ok());
    CHECK(seen == 3);
    CHECK(answers.complete(kAcknowledged));
    CHECK(answers.all().front().error == EPERM);
    CHECK(answers.all().front().messages.size() == std::size_t{kData + 2U - wanted});
  }
}

TEST_CASE("An acknowledgement is the error 0") {
  Answers answers{kFirst, 1};
  CHECK(!answers.complete(kAcknowledged));
  REQUIRE(answers.parse(error(0, 0, 20, {})).ok());
  CHECK(answers.complete(kAcknowledged));
  CHECK(answers.all().front().error == 0);
  CHECK(answers.all().front().reason.empty());
}

TEST_CASE("An error has the kernel's extended ACK text, whether the request is echoed completely or not") {
  const Bytes reason = attribute(NLMSGERR_ATTR_MSG, "Nexthop has invalid gateway");
  Bytes offset;
  append(offset, nlattr{.nla_len = 8, .nla_type = NLMSGERR_ATTR_OFFS});
  append(offset, std::uint32_t{20});
  Bytes both = offset;
  append(both, reason);
  for (const Bytes& bytes : {
           error(-ENETUNREACH, NLM_F_ACK_TLVS | NLM_F_CAPPED, 37, reason),
           error(-ENETUNREACH, NLM_F_ACK_TLVS, 37, reason),
           error(-ENETUNREACH, NLM_F_ACK_TLVS, 0, reason),
           error(-ENETUNREACH, NLM_F_ACK_TLVS, 37, both),
       }) {
    Answers answers{kFirst, 1};
    REQUIRE(answers.parse(bytes).ok());
    CHECK(answers.all().front().error == ENETUNREACH);
    CHECK(answers.all().front().reason == "Nexthop has invalid gateway");
    CHECK(!answers.interrupted());
  }
}

TEST_CASE("An error without extended ACK text, or with a truncated one, is an error, too") {
  Bytes cut = attribute(NLMSGERR_ATTR_MSG, "words");
  cut.resize(5);
  Bytes lying = error(-EPERM, NLM_F_ACK_TLVS, 0, {});
  nlmsgerr claims{};
  claims.error = -EPERM;
  claims.msg.nlmsg_len = 0xffffffff;
  std::memcpy(lying.data() + sizeof(nlmsghdr), &claims, sizeof claims);
  for (const Bytes& bytes : {error(-EPERM, 0, 8, {}), error(-EPERM, NLM_F_ACK_TLVS | NLM_F_CAPPED, 8, cut),
                             error(-EPERM, NLM_F_ACK_TLVS | NLM_F_CAPPED, 8, {}), lying}) {
    Answers answers{kFirst, 1};
    REQUIRE(answers.parse(bytes).ok());
    CHECK(answers.all().front().error == EPERM);
    CHECK(answers.all().front().reason.empty());
  }
}

TEST_CASE("A dump is complete with DONE, whose error counts") {
  Answers answers{kFirst, 1};
  Bytes datagram = message(kData, NLM_F_MULTI, kFirst, {1, 2, 3, 4});
  append(datagram, message(kData, NLM_F_MULTI, kFirst, {5, 6, 7, 8}));
  REQUIRE(answers.parse(datagram).ok());
  CHECK(!answers.complete(kAcknowledged));
  REQUIRE(answers.parse(message(NLMSG_DONE, NLM_F_MULTI, kFirst, number(0))).ok());
  CHECK(answers.complete(kAcknowledged));
  CHECK(answers.all().front().messages.size() == 2);

  Answers failed{kFirst, 1};
  REQUIRE(failed.parse(message(NLMSG_DONE, NLM_F_MULTI, kFirst, number(-EINVAL))).ok());
  CHECK(failed.complete(kAcknowledged));
  CHECK(failed.all().front().error == EINVAL);
}

TEST_CASE("A dump with NLM_F_DUMP_INTR is reported") {
  for (const Bytes& bytes : {message(kData, NLM_F_MULTI | NLM_F_DUMP_INTR, kFirst, {1, 2, 3, 4}),
                             message(NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, kFirst, number(0))}) {
    Answers answers{kFirst, 1};
    CHECK(!answers.interrupted());
    REQUIRE(answers.parse(bytes).ok());
    CHECK(answers.interrupted());
  }
}

TEST_CASE("Answers to other port ids and sequence numbers are ignored") {
  for (const std::uint32_t sequence : {0U, kFirst - 1, kFirst + 2, 0xffffffffU}) {
    CAPTURE(sequence);
    Answers answers{kFirst, 2};
    REQUIRE(answers.parse(error(-EPERM, 0, 0, {}, sequence)).ok());
    REQUIRE(answers.parse(message(kData, NLM_F_MULTI | NLM_F_DUMP_INTR, sequence, {1, 2, 3, 4})).ok());
    CHECK(!answers.interrupted());
    for (const Answer& answer : answers.all()) {
      CHECK(!answer.complete);
      CHECK(answer.error == 0);
      CHECK(answer.messages.empty());
    }
  }
}

TEST_CASE("Several requests are complete when the one that wanted an acknowledgement has it") {
  Answers answers{kFirst, 4};
  REQUIRE(answers.parse(error(-EEXIST, 0, 0, {}, kFirst + 1)).ok());
  CHECK(!answers.complete(2));
  REQUIRE(answers.parse(error(0, 0, 0, {}, kFirst + 2)).ok());
  CHECK(answers.complete(2));
  CHECK(answers.all()[1].error == EEXIST);
}

TEST_CASE("A question is answered by the first message, or by an error") {
  Answers answers{kFirst, 1};
  CHECK(!answers.complete(kQuestion));
  REQUIRE(answers.parse(message(kData, 0, kFirst, {1, 2, 3, 4})).ok());
  CHECK(answers.complete(kQuestion));
  CHECK(!answers.complete(kAcknowledged));

  Answers refused{kFirst, 1};
  REQUIRE(refused.parse(error(-ENODEV, 0, 20, {})).ok());
  CHECK(refused.complete(kQuestion));
}

TEST_CASE("The failure of the first request, the bracket of a transaction, is the end of all") {
  Answers answers{kFirst, 3};
  REQUIRE(answers.parse(error(-EPERM, 0, 0, {}, kFirst)).ok());
  CHECK(answers.complete(2));
}

TEST_CASE("Impossible lengths are refused") {
  for (const std::uint32_t length : {0U, 1U, 15U, 37U, 0x7fffffffU, 0xffffffffU}) {
    CAPTURE(length);
    Bytes bytes = error(0, 0, 0, {});
    REQUIRE(bytes.size() == 36);
    std::memcpy(bytes.data(), &length, sizeof length);
    Answers answers{kFirst, 1};
    CHECK(answers.parse(bytes).failedWith(netlib::Cause::Damaged));
  }
}

TEST_CASE("A positive code, which the kernel never sends, is refused, and so is INT_MIN") {
  for (const int code : {1, 4711, INT32_MIN}) {
    CAPTURE(code);
    Answers answers{kFirst, 1};
    CHECK(answers.parse(error(code, 0, 0, {})).failedWith(netlib::Cause::Damaged));
  }
}

TEST_CASE("The last message of a datagram need not be padded") {
  Answers answers{kFirst, 1};
  Bytes datagram = message(kData, 0, kFirst, {1, 2, 3, 4, 5});
  REQUIRE(answers.parse(datagram).ok());
  align(datagram);
  append(datagram, error(0, 0, 0, {}));
  REQUIRE(answers.parse(datagram).ok());
  CHECK(answers.all().front().messages.size() == 2);
  CHECK(answers.complete(kAcknowledged));
}

TEST_CASE("Every truncation of an answer is refused or accepted, and nothing after its end is read") {
  Bytes whole = message(kData, NLM_F_MULTI, kFirst, {1, 2, 3, 4, 5, 6, 7, 8});
  append(whole, error(-EEXIST, NLM_F_ACK_TLVS | NLM_F_CAPPED, 20, attribute(NLMSGERR_ATTR_MSG, "File exists"), kFirst));
  append(whole, message(NLMSG_DONE, NLM_F_MULTI, kFirst + 1, number(0)));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));  // ends where the memory ends
    Answers answers{kFirst, 2};
    const auto taken = answers.parse(part);
    const bool betweenMessages = length == 0 || length == 24 || length == whole.size() - 20;
    CHECK(taken.ok() == betweenMessages);
    CHECK(!answers.all()[1].complete);
  }
  // And where every length is as long as the rest.
  for (std::size_t length = sizeof(nlmsghdr); length < whole.size(); ++length) {
    Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    for (const std::uint16_t type : {std::uint16_t{NLMSG_ERROR}, std::uint16_t{NLMSG_DONE}, kData}) {
      const auto all = static_cast<std::uint32_t>(length);
      std::memcpy(part.data(), &all, sizeof all);
      std::memcpy(part.data() + 4, &type, sizeof type);
      Answers answers{kFirst, 2};
      const auto taken = answers.parse(part);
      CHECK((taken.ok() || taken.failedWith(netlib::Cause::Damaged)));
    }
  }
}
