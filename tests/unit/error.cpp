#include "plugin/cni/error.h"

#include <map>

#include <doctest/doctest.h>

#include "netlib/base/error_list.h"

#include "plugin/cni/version.h"
#include "plugin/json/json.h"

using pons::cni::Error;
using pons::cni::ErrorCode;

namespace {

using netlib::Cause;

unsigned codeOf(const netlib::Error& error) { return static_cast<unsigned>(Error{error}.code); }

/// The codes of all causes but System, which has one for each errno. Without default: -Wswitch reports a new cause.
unsigned expectedFor(Cause cause) {
  switch (cause) {
    case Cause::Unsupported:
      return 2;
    case Cause::Missing:
    case Cause::Damaged:
    case Cause::Unsafe:
      return 5;
    case Cause::Invalid:
    case Cause::InUse:
      return 7;
    case Cause::WrongNetns:
      return 8;
    case Cause::Exhausted:
    case Cause::Locked:
    case Cause::Disturbed:
      return 11;
    case Cause::Attached:
      return 100;
    case Cause::Differs:
      return 101;
    case Cause::System:
    case Cause::Program:
    case Cause::Internal:
      return 999;
  }
  return 0;
}

}  // namespace

TEST_CASE("every cause has its CNI code, and message and details stay") {
  std::size_t count = 0;
  for (int number = 0; number <= static_cast<int>(Cause::Internal); ++number, ++count) {
    CAPTURE(number);
    const auto cause = static_cast<Cause>(number);
    const Error error{netlib::Error{cause, 0, "what", "more"}};
    CHECK(static_cast<unsigned>(error.code) == expectedFor(cause));
    CHECK(error.message == "what");
    CHECK(error.details == "more");
    // The number of a cause without one changes nothing, whichever errno it resembles.
    if (cause == Cause::System || cause == Cause::Program) continue;
    for (const int errnoLike : {EEXIST, EINVAL, EIO, 142}) {
      CHECK(codeOf({cause, errnoLike, "what"}) == expectedFor(cause));
    }
  }
  CHECK(count == 15);
}

TEST_CASE("every errno of the kernel has one CNI code, and 999 is for what cannot be classified") {
  const std::map<int, unsigned> table{
      {EINVAL, 7}, {ERANGE, 7}, {EOPNOTSUPP, 2}, {EAFNOSUPPORT, 2}, {EPROTONOSUPPORT, 2}, {EAGAIN, 11},
      {EBUSY, 11}, {EINTR, 11}, {ENOBUFS, 11},   {ENOMEM, 11},      {ETIMEDOUT, 11},      {EACCES, 5},
      {EDQUOT, 5}, {EFBIG, 5},  {EIO, 5},        {ELOOP, 5},        {EMFILE, 5},          {ENFILE, 5},
      {ENOSPC, 5}, {EPERM, 5},  {ENOTDIR, 5},    {EROFS, 5},
  };
  for (int number = 1; number < 134; ++number) {
    CAPTURE(number);
    const auto found = table.find(number);
    CHECK(codeOf(netlib::Error::fromErrno("what", number)) == (found == table.end() ? 999 : found->second));
  }
}

TEST_CASE("the code that a program printed is passed on, whatever it is, also in other words and in a list") {
  for (const unsigned code : {1U, 7U, 11U, 17U, 100U, 142U, 999U, 4'000'000'000U}) {
    CAPTURE(code);
    const netlib::Error printed{Cause::Program, static_cast<int>(code), "no lease", "pool is dry"};
    CHECK(codeOf(printed) == code);
    CHECK(codeOf(printed.reworded("step: no lease")) == code);
    netlib::ErrorList list;
    list.add("free", netlib::fail(printed));
    list.add("release", netlib::fail(Cause::Locked, "host lock"));
    const Error error{list.result().error()};
    CHECK(static_cast<unsigned>(error.code) == code);
    CHECK(error.message == "free: no lease; release: host lock");
    CHECK(error.details == "pool is dry");
  }
}

TEST_CASE("of several errors the first one decides, whatever words the later ones have") {
  netlib::ErrorList list;
  CHECK(list.result().ok());
  list.add("veth", {});
  list.add("lock", netlib::fail(Cause::Locked, "no lease"));
  list.add("free", netlib::fail(netlib::Error{Cause::Program, 142, "no lease", "pool is dry"}));
  const auto result = list.result();
  CHECK(result.failedWith(Cause::Locked));
  CHECK(codeOf(result.error()) == 11);
  CHECK(result.error().details.empty());
}

TEST_CASE("an errno is the kernel's alone: no other cause is taken for it") {
  const auto missing = [](netlib::Error error) { return netlib::Result<>{netlib::fail(std::move(error))}; };
  CHECK(missing(netlib::Error::fromErrno("find", ENODEV)).failedWith(ENODEV));
  CHECK(ignoring(ENODEV, missing(netlib::Error::fromErrno("find", ENODEV))).ok());
  CHECK_FALSE(missing({Cause::Missing, ENODEV, "find"}).failedWith(ENODEV));
  CHECK_FALSE(ignoring(ENODEV, missing({Cause::Missing, ENODEV, "find"})).ok());
  CHECK(ignoring(Cause::Missing, missing({Cause::Missing, 0, "find"})).ok());
  CHECK_FALSE(netlib::Result<>{}.failedWith(ENODEV));
}

TEST_CASE("a failure of the lower floors becomes a CNI error on its way up") {
  const auto lower = []() -> netlib::Result<int> { return netlib::fail(Cause::InUse, "10.42.0.7 belongs to c2"); };
  const auto upper = [&]() -> pons::cni::Result<int> { return TRY(lower()); };
  REQUIRE_FALSE(upper().ok());
  CHECK(upper().error().code == ErrorCode::InvalidConfig);
  CHECK(upper().error().message == "10.42.0.7 belongs to c2");
}

TEST_CASE("an error is printed as the specification has it") {
  CHECK(pons::cni::printError({ErrorCode::InvalidConfig, "bad \"mtu\"", "more"}, "1.0.0") == R"({
    "cniVersion": "1.0.0",
    "code": 7,
    "msg": "bad \"mtu\"",
    "details": "more"
})");
  CHECK(pons::cni::printError({ErrorCode::Internal, "what"}, "0.1.0") == R"({
    "cniVersion": "0.1.0",
    "code": 999,
    "msg": "what"
})");
}

TEST_CASE("an error with bytes of no charset is still JSON") {
  CHECK(pons::json::Document::parse(pons::cni::printError({ErrorCode::Io, "\xff\x01\"\n", "\xc3"}, "1.1.0")).ok());
}

TEST_CASE("versions: exactly those of the list, and absent means 0.1.0") {
  using pons::cni::parseVersion;
  using pons::cni::Version;
  CHECK(parseVersion("") == Version::V0_1_0);
  for (const std::string_view text : {"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    REQUIRE(parseVersion(text).has_value());
    CHECK(textOf(*parseVersion(text)) == text);
  }
  for (const std::string_view text : {"1.2.0", "1", "1.1", "v1.1.0", "1.1.0 ", " 1.1.0", "01.1.0", "9.9.9", "x"}) {
    CHECK_FALSE(parseVersion(text).has_value());
  }
  CHECK(Version::V0_4_0 < Version::V1_0_0);
}

TEST_CASE("the answer to VERSION, byte for byte") {
  CHECK(pons::cni::printVersions("1.1.0", pons::cni::Version::V0_1_0) ==
        "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\","
        "\"1.1.0\"]}\n");
}
