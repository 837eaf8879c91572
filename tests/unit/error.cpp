#include "plugin/cni/error.h"

#include <map>

#include <doctest/doctest.h>

#include "plugin/cni/version.h"
#include "plugin/json/json.h"

using pons::cni::Error;
using pons::cni::ErrorCode;

TEST_CASE("every errno has one CNI code, and 999 is for what cannot be classified") {
  const std::map<int, unsigned> table{
      {EBADMSG, 6},    {EINVAL, 7},  {ERANGE, 7}, {EADDRINUSE, 7}, {EOPNOTSUPP, 2}, {EEXIST, 100}, {EXDEV, 8},
      {ENOTUNIQ, 101}, {EAGAIN, 11}, {EBUSY, 11}, {EINTR, 11},     {ENOBUFS, 11},   {ENOMEM, 11},  {EADDRNOTAVAIL, 11},
      {ETIMEDOUT, 11}, {EACCES, 5},  {EDQUOT, 5}, {EFBIG, 5},      {EIO, 5},        {ELOOP, 5},    {EMFILE, 5},
      {ENFILE, 5},     {ENOSPC, 5},  {EPERM, 5},  {ENOTDIR, 5},    {EROFS, 5},
  };
  for (int code = 1; code < 134; ++code) {
    CAPTURE(code);
    const auto found = table.find(code);
    const Error error{netlib::Error{code, "what"}};
    CHECK(static_cast<unsigned>(error.code) == (found == table.end() ? 999 : found->second));
    CHECK(error.message == "what");
    CHECK(error.details.empty());
  }
}

TEST_CASE("a failure of the lower floors becomes a CNI error on its way up") {
  const auto lower = []() -> netlib::Result<int> { return netlib::fail(EADDRINUSE, "10.42.0.7 belongs to c2"); };
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
  CHECK(pons::cni::printVersions(pons::cni::Version::V0_1_0) ==
        "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\","
        "\"1.1.0\"]}\n");
}
