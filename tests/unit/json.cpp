#include "plugin/json/json.h"

#include <doctest/doctest.h>

#include "netlib/base/text.h"
#include "netlib/base/utf8.h"

namespace {

using pons::json::Document;
using pons::json::Style;
using pons::json::Writer;

Document parsed(std::string_view text) {
  auto document = Document::parse(text);
  REQUIRE(document.ok());
  return std::move(document).value();
}

/// Deterministic on every machine.
struct Random {
  std::uint64_t state = 42;
  std::uint64_t below(std::uint64_t bound) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % bound;
  }
};

std::string inRandomCase(std::string text, Random& random) {
  for (char& c : text) {
    if (random.below(2) == 1 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

TEST_CASE("keys are case-insensitive, as sent by containerd") {
  Random random;
  for (const std::string key : {"hostport", "containerport", "hostip", "subnet", "runtimeconfig"}) {
    for (int round = 0; round < 50; ++round) {
      const Document document = parsed("{\"" + inRandomCase(key, random) + "\": 7}");
      CHECK(document[inRandomCase(key, random)].integer() == 7);
      CHECK_FALSE(document[key + "x"].present());
    }
  }
}

TEST_CASE("the last of several keys wins") {
  CHECK(parsed(R"({"hostPort": 1, "HOSTPORT": 2})")["hostPort"].integer() == 2);
  CHECK(parsed(R"({"HOSTPORT": 2, "hostPort": 1})")["hostPort"].integer() == 1);
  CHECK_FALSE(parsed(R"({"a": 1, "a": null})")["a"].present());
}

TEST_CASE("null, a missing key and a key of a value that is not an object are absent") {
  const Document document = parsed(R"({"null": null, "list": [1, null], "text": "x"})");
  CHECK_FALSE(document["null"].present());
  CHECK_FALSE(document["missing"].present());
  CHECK_FALSE(document["list"]["key"].present());
  CHECK_FALSE(document["missing"]["deeper"]["still"].present());
  CHECK(document["missing"].text() == "null");
  REQUIRE(document["list"].items().size() == 2);
  CHECK_FALSE(document["list"].items()[1].present());
  CHECK(document["text"].items().empty());
  CHECK(document.root().members().size() == 3);
}

TEST_CASE("a value is read as its own type only") {
  const Document document = parsed(R"({"t": "7", "b": true, "i": -7, "f": 7.5, "big": 18446744073709551615})");
  CHECK(document["t"].string() == "7");
  CHECK_FALSE(document["t"].integer().has_value());
  CHECK(document["b"].boolean() == true);
  CHECK_FALSE(document["b"].integer().has_value());
  CHECK(document["i"].integer() == -7);
  CHECK_FALSE(document["i"].boolean().has_value());
  CHECK_FALSE(document["f"].integer().has_value());
  CHECK_FALSE(document["big"].integer().has_value());
}

TEST_CASE("malformed documents are refused") {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "null"sv,
                                      "[]"sv,
                                      "7"sv,
                                      "\"text\""sv,
                                      "{"sv,
                                      "}"sv,
                                      "{]"sv,
                                      "{} {}"sv,
                                      "{}x"sv,
                                      "{,}"sv,
                                      "{\"a\":}"sv,
                                      "{\"a\":1,}"sv,
                                      "{'a':1}"sv,
                                      "{a:1}"sv,
                                      "// comment\n{}"sv,
                                      "{} // comment"sv,
                                      "{/**/}"sv,
                                      "\xef\xbb\xbf{}"sv,
                                      "{}\0"sv,
                                      "{}\0garbage"sv,
                                      "\0{}"sv,
                                      "{\"a\":\"\0\"}"sv,
                                      "{\"a\":\"\n\"}"sv,
                                      "{\"a\":\"\xff\"}"sv,
                                      "{\"\xc0\xaf\":1}"sv,
                                      "{\"a\":\"\xed\xa0\x80\"}"sv,
                                      "{\"a\":\"\\ud800\"}"sv,
                                      "{\"a\":\"\\x\"}"sv,
                                      "{\"a\":01}"sv,
                                      "{\"a\":+1}"sv,
                                      "{\"a\":NaN}"sv,
                                      "{\"a\":1e999}"sv,
                                      "{\"a\":tru}"sv}) {
    CAPTURE(netlib::asUtf8(text));
    const auto document = Document::parse(text);
    REQUIRE_FALSE(document.ok());
    CHECK(document.failedWith(netlib::Cause::Damaged));
  }
}

TEST_CASE("an error has line and column") {
  CHECK(Document::parse("{\n  \"a\": tru\n}").error().message.find("line 2, column ") != std::string::npos);
}

TEST_CASE("an unpaired surrogate is an error, a pair and an escaped backslash are not") {
  for (const char* half : {R"(\uDEAA)", R"(x\udfff)", R"(\\\uDC00)", R"(\uD83D\uDE00\uDE00)"}) {
    const auto document = Document::parse(R"({"a": ")" + std::string{half} + "\"}");
    REQUIRE(document.failedWith(netlib::Cause::Damaged));
    CHECK(document.error().message.find("surrogate") != std::string::npos);
  }
  CHECK_FALSE(Document::parse(R"({"a": "\uD83D"})").ok());
  CHECK(parsed(R"({"a": "\uD83D\uDE00"})").root()["a"].string() == "\xf0\x9f\x98\x80");
  CHECK(parsed(R"({"a": "\\uDEAA\n\u00e9"})").root()["a"].string() == "\\uDEAA\n\xc3\xa9");
}

TEST_CASE("depth is bounded, and brackets inside of strings do not count") {
  const auto nested = [](int levels) {  // the object around them is a level of its own
    const auto count = static_cast<std::size_t>(levels - 1);
    return "{\"a\":" + std::string(count, '[') + std::string(count, ']') + "}";
  };
  CHECK(Document::parse(nested(pons::json::kMaxDepth)).ok());
  CHECK_FALSE(Document::parse(nested(pons::json::kMaxDepth + 1)).ok());
  CHECK_FALSE(Document::parse(std::string(1'000'000, '[')).ok());
  CHECK(Document::parse("{\"a\": \"\\\"" + std::string(1000, '{') + "\"}").ok());
}

TEST_CASE("no truncated and no changed document crashes the parser") {
  const std::string whole = R"({"name":"demo","n":[1,-2.5,true,null,{"k":"\u00e9\\\""}],"o":{"a":{"b":[]}}})";
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(Document::parse(whole.substr(0, length)).ok());
  Random random;
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = whole;
    text[random.below(text.size())] = static_cast<char>(random.below(256));
    if (const auto document = Document::parse(text)) accepted += document->root().text().empty() ? 0 : 1;
  }
  CHECK(accepted > 0);
}

TEST_CASE("the writer writes both styles") {
  const auto write = [](Style style) {
    Writer writer{style};
    writer.beginObject().member("text", "a\"b").member("flag", true).member("number", -7);
    writer.key("list").beginArray().value(std::uint32_t{4294967295U}).value(std::string{"x"}).endArray();
    writer.key("empty").beginObject().endObject().endObject();
    return writer.text();
  };
  CHECK(write(Style::Compact) == R"({"text":"a\"b","flag":true,"number":-7,"list":[4294967295,"x"],"empty":{}})");
  CHECK(write(Style::Indented) ==
        "{\n    \"text\": \"a\\\"b\",\n    \"flag\": true,\n    \"number\": -7,\n    \"list\": [\n        4294967295,\n"
        "        \"x\"\n    ],\n    \"empty\": {}\n}");
}

TEST_CASE("any bytes can be written, and the document can be parsed") {
  Random random;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes;
    for (std::uint64_t i = random.below(12); i > 0; --i) bytes += static_cast<char>(random.below(256));
    Writer writer{Style::Compact};
    writer.beginObject().member("text", bytes).member(bytes, 1).endObject();
    const auto document = Document::parse(writer.text());
    REQUIRE(document.ok());
    CHECK(document->root().members().front().second.string() == netlib::asUtf8(bytes));
  }
}

TEST_CASE("The position of a value is found by its path") {
  const std::string text =
      "{\n  \"a\": [1, {\"B\": \"x,\\\"{\", \"c\": null}],\n  \"d\":{\"e\" : [ [], [2.5] ]}, \"a2\": 1, \"a2\": 2}";
  const auto at = [&text](const char* path) { return pons::json::placeOf(text, path); };
  using pons::json::Place;
  CHECK(at("") == Place{1, 1});
  CHECK(at("a") == Place{2, 8});
  CHECK(at("a[0]") == Place{2, 9});
  CHECK(at("A[1].b") == Place{2, 18});
  CHECK(at("a[1].c") == Place{2, 32});
  CHECK(at("d.e") == Place{3, 14});
  CHECK(at("d.e[0]") == Place{3, 16});
  CHECK(at("d.e[1][0]") == Place{3, 21});
  CHECK(at("a2") == Place{3, text.rfind('2') - text.rfind('\n')});  // the last one counts
  for (const char* missing : {"a[2]", "b", "a.b", "d.e[2]", "d.e[1][0].f"}) CHECK(!at(missing));
}

TEST_CASE("The position of the first syntax error") {
  using namespace std::literals;
  using pons::json::Place;
  const auto error = [](std::string_view text) { return pons::json::syntaxErrorIn(text); };
  CHECK(!error("{\"a\": [1, 2]}"));
  CHECK(error("{\"a\": [1,\n 2}")->place == Place{2, 3});
  CHECK(error("{} x")->place == Place{1, 4});
  CHECK(error("{\"a\": [1,\n]}")->place == Place{1, 9});
  CHECK(error("{\n\"a\": 1, }")->reason == "this comma is one too many");
  CHECK(error("{ }\n\0x"sv)->place == Place{2, 1});
  CHECK(!error("\xef\xbb\xbf{}")->place);
}
