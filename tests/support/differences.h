// What verify() of a step finds, as text.
#pragma once

#include <string>

#include "plugin/steps/step.h"

namespace support {

/// A line for each difference; "" where all is as it should be.
inline std::string differencesOf(const pons::Step& step, pons::Host& host) {
  const auto found = step.verify(host);
  if (!found) return "error: " + found.error().message + "\n";
  std::string text;
  for (const pons::Difference& difference : *found) text += difference.text() + "\n";
  return text;
}

}  // namespace support
