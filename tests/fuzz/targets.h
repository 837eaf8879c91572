// What is fuzzed: each target takes any bytes and sees that what it promises of them holds. libFuzzer looks for bytes
// of which it does not (the build with PONS_FUZZ), and the unit tests replay those that are kept in corpus/.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace fuzz {

/// Ends the run, or the test case, where the property does not hold.
inline void require(bool holds, const char* property) {
  if (!holds) throw std::logic_error(std::string{"not so: "} + property);
}
#define HOLDS(property) ::fuzz::require(property, #property)

void addresses(std::string_view input);
void config(std::string_view input);
void cniArgs(std::string_view input);
void hostLocal(std::string_view input);
void names(std::string_view input);
void netlink(std::string_view input);
void network(std::string_view input);
void prevResult(std::string_view input);
void record(std::string_view input);
void resolvConf(std::string_view input);

}  // namespace fuzz
