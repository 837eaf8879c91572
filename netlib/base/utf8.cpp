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

void appendEscaped(std::string& text, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t byte = byteAt(bytes, i);
    text.append("\\x").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 0xfU]);
  }
}

}  // namespace

std::string asUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequenceLength(text);
    clean.append(length == 0 ? "\xef\xbf\xbd" : text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = sequenceLength(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    if (sequence == "\n") {
      shown += "\\n";
    } else if (length == 0 || isControl(sequence)) {
      appendEscaped(shown, sequence);
    } else {
      shown += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return shown;
}

}  // namespace netlib
