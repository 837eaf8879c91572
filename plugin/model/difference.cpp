#include "plugin/model/difference.h"

#include <array>

namespace pons {

std::string_view remedyText(Remedy remedy) {
  constexpr std::array<std::string_view, 6> kTexts{"run \"ponsctl repair\"",       //
                                                   "restart the container",        //
                                                   "load it with \"modprobe\"",    //
                                                   "change the configuration",     //
                                                   "run \"ponsctl gc --delete\"",  //
                                                   ""};
  return kTexts.at(static_cast<std::size_t>(remedy));
}

std::string Difference::text() const {
  if (remedy == Remedy::None) return what + ": " + actual;
  if (actual == kMissing) return what + " is missing";
  return what + " is " + actual + ", expected " + expected;
}

std::string Difference::textWithRemedy() const {
  return remedy == Remedy::None ? text() : text() + ": " + std::string{remedyText(remedy)};
}

Difference missing(std::string what, Remedy remedy) {
  return {.what = std::move(what), .expected = "present", .actual = std::string{kMissing}, .remedy = remedy};
}

void addIfDiffers(Differences& to, Difference difference) {
  if (difference.expected != difference.actual) to.push_back(std::move(difference));
}

std::string onOff(bool on) { return on ? "on" : "off"; }

}  // namespace pons
