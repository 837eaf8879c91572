// One rule as a packet meets it. Only for netlib/nft/*.cpp.
#pragma once

#include <functional>

#include "netlib/nft/lookup_set.h"

namespace netlib::nft {

/// Null if the set cannot be read.
using SetOf = std::function<const LookupSet*(const std::string& name)>;

struct EvaluatedRule {
  filter::Rule rule;
  filter::Match match;  ///< of all its conditions
};

/// Where nothing of a key is known, the set is not asked for.
EvaluatedRule evaluate(nftnl_rule& listed, const filter::Packet& packet, const SetOf& setOf);

}  // namespace netlib::nft
