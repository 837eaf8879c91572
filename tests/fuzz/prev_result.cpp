// The result of another plugin: in the newest version it is printed and read again as the same, in an older one as much
// of it as that has words for.
#include <array>

#include "plugin/cni/result.h"

#include "tests/fuzz/targets.h"

namespace {

using namespace pons::cni;

constexpr std::array kVersions{Version::V0_1_0, Version::V0_2_0, Version::V0_3_0, Version::V0_3_1,
                               Version::V0_4_0, Version::V1_0_0, Version::V1_1_0};

void checkPrinted(const AddResult& result, Version version) {
  const auto text = printResult(result, version);
  if (!text) {
    HOLDS(version < Version::V0_3_0 && result.addresses.empty());
    return;
  }
  const auto again = parseIpamResult(*text, Version::V1_1_0);
  HOLDS(again.ok());
  HOLDS(printResult(*again, version).value() == *text);
  if (version == Version::V1_1_0) HOLDS(*again == result);
}

}  // namespace

void fuzz::prevResult(std::string_view input) {
  for (const Version version : {Version::V0_2_0, Version::V1_1_0}) {
    const auto result = parseIpamResult(input, version);
    if (!result) {
      HOLDS(result.error().code == ErrorCode::Decode);
      continue;
    }
    for (const Version printed : kVersions) checkPrinted(*result, printed);
    const AddResult both = merge(*result, *result);
    HOLDS(both.interfaces.size() == 2 * result->interfaces.size());
    for (const Address& address : both.addresses) {
      HOLDS(!address.interface || *address.interface < both.interfaces.size());
    }
  }
}
