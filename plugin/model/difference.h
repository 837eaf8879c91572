// What verify() of a step finds: something that is not as it should be, and what an administrator does about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pons {

/// What an administrator does about a difference; remedyText() has it as a sentence.
enum class Remedy : std::uint8_t {
  Repair,               ///< "ponsctl repair"
  RestartContainer,     ///< DEL and ADD: state inside the container, or a link that ends with it
  LoadModule,           ///< the kernel module that `what` names
  ChangeConfiguration,  ///< what the configuration needs belongs to another owner, or cannot be had on this host
  CollectGarbage,       ///< "ponsctl gc --delete": the container no longer exists
  None,                 ///< the state could not be read; `actual` has the reason
};

/// "run \"ponsctl repair\"", ...; empty for None.
std::string_view remedyText(Remedy remedy);

/// One thing that is not as it should be.
struct Difference {
  std::string what;      ///< "hairpin mode of veth pons0123"
  std::string expected;  ///< "on"
  std::string actual;    ///< "off"; kMissing for what does not exist
  Remedy remedy = Remedy::Repair;

  /// "hairpin mode of veth pons0123 is off, expected on"; "bridge pons0 is missing"
  std::string text() const;
  /// And what to do: "bridge pons0 is missing: run \"ponsctl repair\""
  std::string textWithRemedy() const;

  friend bool operator==(const Difference&, const Difference&) = default;
};

/// Of one step, empty where all is as it should be.
using Differences = std::vector<Difference>;

inline constexpr std::string_view kMissing = "missing";

/// Of what should exist, and does not.
Difference missing(std::string what, Remedy remedy = Remedy::Repair);

/// Appends the difference unless what is expected is there.
void addIfDiffers(Differences& to, Difference difference);

/// "on", "off"
std::string onOff(bool on);

}  // namespace pons
