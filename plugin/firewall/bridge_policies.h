// The part of the tables of nat_table.h that is about whole bridges: which of them may open connections to which.
//
//   set policy_bridges    { names of bridges with an ingress policy }
//   set same_bridge_ok    { bridge . bridge }, the same name twice: its containers may open connections to each other
//   set internal_bridges  { names of bridges that nothing is forwarded to or from }
//   set internal_pairs    { such a name twice }
//   set published_only    { names of bridges that only published ports and replies are forwarded to }
//   set published_pairs   { such a name twice }
//   set silent_bridges    { names of bridges whose policies drop what they deny }
//   map rejecting_bridges { names of bridges whose policies reject it : jump reject_by_protocol (reject_chain.h) }
//
//   chain forwarding        hook forward, priority filter - 1
//                           from or to a bridge in internal_bridges, and not a pair in internal_pairs: jump by_internal
//                           ct state established,related: accept
//                           from and to a bridge in policy_bridges, no pair in same_bridge_ok: jump by_ingress_policy
//                           to a bridge in published_only, no pair in published_pairs: jump by_published_only
//   chain by_internal       counter; jump denied
//   chain by_ingress_policy, by_published_only  jump published; counter; jump denied
//   chain published         with the ct label of published ports: accept          without the part Ports: no rule
//   chain denied            from or to a bridge in silent_bridges, or ct state invalid: drop
//                           from or to a bridge in rejecting_bridges: jump; drop
#pragma once

#include <array>

#include "netlib/nft/transaction.h"

#include "plugin/ledger/ledger.h"

namespace pons::bridges {

inline constexpr const char* kPolicyBridges = "policy_bridges";
inline constexpr const char* kSameBridgeOk = "same_bridge_ok";
inline constexpr const char* kInternalBridges = "internal_bridges";
inline constexpr const char* kInternalPairs = "internal_pairs";
inline constexpr const char* kPublishedOnly = "published_only";
inline constexpr const char* kPublishedPairs = "published_pairs";
inline constexpr const char* kSilentBridges = "silent_bridges";
inline constexpr const char* kRejectingBridges = "rejecting_bridges";

/// A policy that a bridge has while one of its attachments asks for it.
enum class Restriction : std::uint8_t { Internal, PublishedOnly, Silent, Rejecting };
inline constexpr std::array kRestrictions{Restriction::Internal, Restriction::PublishedOnly, Restriction::Silent,
                                          Restriction::Rejecting};
std::string stateOf(const Attachment& attachment, Restriction restriction);
/// The set or map that has the names of its bridges.
const char* setOf(Restriction restriction);

/// The counter of the chain has the packets that this key of the configuration denies.
struct DenyingChain {
  const char* name;
  const char* key;
  bool exceptPublished;  ///< connections to published ports pass
};
inline constexpr DenyingChain kByInternal{"by_internal", "internal", false};
inline constexpr DenyingChain kByIngressPolicy{"by_ingress_policy", "ingressPolicy", true};
inline constexpr DenyingChain kByPublishedOnly{"by_published_only", "publishedOnly", true};
inline constexpr std::array kDenying{kByInternal, kByIngressPolicy, kByPublishedOnly};

/// The chain `published`, for the part Ports, which adds its rule.
void ensurePublished(netlib::nft::Transaction& transaction, netlib::Family family);
inline constexpr const char* kPublished = "published";

/// The part Policies of a table: see tables::appendPart().
void appendPolicies(netlib::nft::Transaction& transaction, netlib::Family family);

netlib::nft::Element elementOf(const netlib::IfName& bridge);
/// The key of a pair of that bridge with itself.
netlib::nft::Element pairOf(const netlib::IfName& bridge);

/// What the sets of each family have of a bridge with that policy, by set.
netlib::nft::ElementsBySet elementsOf(const netlib::IfName& bridge, IngressPolicy policy);
netlib::nft::ElementsBySet elementsOf(const netlib::IfName& bridge, Restriction restriction);

/// The policy of a bridge: the strictest that an attachment refers to. `state` is shared_state::ingress() of any of its
/// attachments, or its stem. Takes no lock: the answer lasts only while the caller has the host lock.
netlib::Result<IngressPolicy> policyOf(Ledger& ledger, const std::string& state);

/// Whether the attachment's port is isolated: by its own setting, or as every port of the bridge by the policy. One
/// system call where it is not.
netlib::Result<bool> isPortIsolated(Ledger& ledger, const Attachment& attachment);

}  // namespace pons::bridges
