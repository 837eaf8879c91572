#include "netlib/base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace netlib {

namespace {

std::uint8_t byteAt(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

bool isContinuation(std::uint8_t byte) { return (byte & 0xc0) == 0x80; }

/// Length of the well-formed sequence at the beginning of `text` (Unicode 15, table 3-7); 0 if there is none.
std::size_t sequenceLength(std::string_view text) {
  const std::uint8_t lead = byteAt(text, 0);
  if (lead < 0x80) return 1;

  std::size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!isContinuation(byteAt(text, i))) return 0;
  }

  // Overlong, a surrogate, or above U+10FFFF.
  const std::uint8_t second = byteAt(text, 1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return length;
}

/// C0, DEL and C1 of a well-formed sequence.
bool isControl(std::string_view sequence) {
  const std::uint8_t lead = byteAt(sequence, 0);
  return lead < ' ' || lead == 0x7f || (lead == 0xc2 && byteAt(sequence, 1) < 0xa0);
}

void appendHex(std::string& text, std::uint8_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  text.append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 0xfU]);
}

/// Appends to a text what the function makes of each well-formed sequence and of each other byte.
template <class Append>
std::string converted(std::string_view text, Append append) {
  std::string all;
  all.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequenceLength(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    append(all, sequence, length > 0);
    text.remove_prefix(sequence.size());
  }
  return all;
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

}  // namespace

std::string asUtf8(std::string_view text) {
  return converted(text, [](std::string& all, std::string_view sequence, bool isUtf8) {
    all.append(isUtf8 ? sequence : kReplacement);
  });
}

std::string printable(std::string_view text) {
  return converted(text, [](std::string& all, std::string_view sequence, bool isUtf8) {
    if (sequence == "\n") {
      all += "\\n";
    } else if (isUtf8 && !isControl(sequence)) {
      all += sequence;
    } else {
      for (std::size_t i = 0; i < sequence.size(); ++i) appendHex(all += "\\x", byteAt(sequence, i));
    }
  });
}

std::string quoted(std::string_view text) {
  const auto escape = [](std::string& all, std::string_view sequence, bool isUtf8) {
    if (!isUtf8) {
      all += kReplacement;
    } else if (sequence == "\n") {
      all += "\\n";
    } else if (sequence == "\"" || sequence == "\\") {
      all.append("\\").append(sequence);
    } else if (isControl(sequence)) {
      // The last byte is the code point: C1, U+0080 to U+009F, has 0xc2 before it.
      appendHex(all += "\\u00", byteAt(sequence, sequence.size() - 1));
    } else {
      all += sequence;
    }
  };
  return "\"" + converted(text, escape) + "\"";
}

}  // namespace netlib
