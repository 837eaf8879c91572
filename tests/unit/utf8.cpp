#include "netlib/base/utf8.h"

#include <doctest/doctest.h>

TEST_CASE("printable text has no line breaks, and nothing that commands a terminal") {
  CHECK(netlib::printable("caf\xc3\xa9 \xe2\x9c\x93 ~") == "caf\xc3\xa9 \xe2\x9c\x93 ~");
  CHECK(netlib::printable("a\nb\tc\x7f") == "a\\nb\\x09c\\x7f");
  CHECK(netlib::printable("\x1b[2J") == "\\x1b[2J");
  CHECK(netlib::printable("\xc2\x9b"
                          "2J\xc2\xa0") ==
        "\\xc2\\x9b"
        "2J\xc2\xa0");
  CHECK(netlib::printable("\x9b"
                          "2J\xff\xe2\x82") ==
        "\\x9b"
        "2J\\xff\\xe2\\x82");
}

TEST_CASE("a quoted text is a JSON string without control characters") {
  CHECK(netlib::quoted("") == R"("")");
  CHECK(netlib::quoted("caf\xc3\xa9 ~ / =") == "\"caf\xc3\xa9 ~ / =\"");
  CHECK(netlib::quoted("\"a\\\nb\t\x7f") == R"("\"a\\\nb\u0009\u007f")");
  CHECK(netlib::quoted("\xc2\x9b\xc2\xa0\x9b\xff") == "\"\\u009b\xc2\xa0\xef\xbf\xbd\xef\xbf\xbd\"");
  CHECK(netlib::quoted(std::string(1, '\0')) == R"("\u0000")");
}

TEST_CASE("asUtf8 keeps what is UTF-8 and replaces the rest byte by byte") {
  const std::string good = "a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
  CHECK(netlib::asUtf8(good) == good);
  CHECK(netlib::asUtf8("a\xff") == "a\xef\xbf\xbd");
  CHECK(netlib::asUtf8("\xe2\x82") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(netlib::asUtf8("\xf5\x80").size() == 6);
  CHECK(netlib::asUtf8("\xc1\x81").size() == 6);
  CHECK(netlib::asUtf8("\xed\xa0\x80").size() == 9);
  CHECK(netlib::asUtf8("\xf4\x90\x80\x80").size() == 12);
}
