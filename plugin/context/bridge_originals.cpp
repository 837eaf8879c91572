#include "plugin/context/bridge_originals.h"

namespace pons {

namespace {

constexpr const char* kIfindex = "ifindex";  // absent where an older pons saved them

}  // namespace

netlib::Result<> saveOriginalsOf(Host& host, const netlib::link::Link& bridge, const std::string& sharedState,
                                 Originals originals) {
  if (TRY(originalsOf(host, bridge, sharedState)).contains(kIfindex)) return {};
  TRY(host.ledger.forgetOriginals(sharedState));
  originals[kIfindex] = std::to_string(bridge.index);
  return host.ledger.saveOriginals(sharedState, originals);
}

netlib::Result<Originals> originalsOf(Host& host, const netlib::link::Link& bridge, const std::string& sharedState) {
  Originals originals = TRY(host.ledger.savedOriginals(sharedState));
  const auto index = originals.find(kIfindex);
  if (index != originals.end() && index->second != std::to_string(bridge.index)) originals.clear();
  return originals;
}

}  // namespace pons
