// Orphans: kernel objects that pons has created and no record refers to, because a ledger was lost.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugin/context/context.h"
#include "plugin/firewall/table_owner.h"

namespace pons {

/// The ledgerWord() of every ledger that has links or tables on this host; an empty one for links of an earlier pons.
/// `netfilter` is null where nf_tables is not loaded.
netlib::Result<std::set<std::string>> ledgersOn(netlib::Socket& route, netlib::Socket* netfilter);

/// False where the table belongs to another ledger.
netlib::Result<bool> isSwept(Host& host, netlib::nft::TableFamily table);

/// The networks that the aliases of links and the comments of chains of this ledger name.
netlib::Result<std::vector<NetworkName>> markedNetworks(Host& host);
/// The bridges that this ledger has created, by their alias.
netlib::Result<std::vector<netlib::IfName>> markedBridges(Host& host);

/// By what the orphans of a network are recognized.
struct SweepScope {
  NetworkName network;
  std::vector<netlib::IpPrefix> subnets;  ///< targets of its published ports; its subnets' chains
};

struct Orphan {
  std::string kind;  ///< "link", "claims", "port", "chain", "masquerade", "guard", "policy", "bridge", "tables"
  std::string name;
  std::string why;  ///< it is an orphan
  std::optional<NetworkName> network = std::nullopt;
  std::optional<ContainerId> container = std::nullopt;

  friend bool operator==(const Orphan&, const Orphan&) = default;
};

/// Finds orphans, or deletes them, too: both modes note the same. Each method takes the host lock, which the caller
/// must not hold, and continues after an error. In mode Find the state directory may be missing: there is no lock then.
class Sweep {
 public:
  enum class Mode : bool { Find, Delete };

  /// `host` must outlive this object.
  Sweep(Host& host, Mode mode) : host_(host), mode_(mode) {}

  /// Of the network: links by their alias, published ports and chains in nf_tables, claims in the ledger.
  netlib::Result<> network(const SweepScope& scope);

  /// Spoof guard elements and egress policies of ports without a record, whatever their network was. `lost`:
  /// attachments whose record does not tell what they have of these, and which the caller removes in mode Delete.
  netlib::Result<> ports(const std::vector<AttachmentKey>& lost = {});

  /// Shared states without a reference: the bridge, if pons has created it, with its policies, the nf_tables tables and
  /// IP forwarding. To be called after the networks, whose orphans use them.
  netlib::Result<> shared(const netlib::IfName& bridge);

  /// Each orphan once.
  const std::vector<Orphan>& found() const { return found_; }

 private:
  static constexpr std::string_view kUnreferenced = "no attachment refers to it";

  /// Nothing without a state directory, in mode Find.
  using Lock = std::optional<HostLock>;
  netlib::Result<Lock> lock();

  /// True where the caller is to delete it.
  bool note(Orphan orphan);
  /// The same of an element that keeps this table in use.
  bool noteUse(netlib::nft::TableFamily table, Orphan orphan);

  netlib::Result<bool> isReferenced(const Lock& hostLock, const std::string& sharedState);
  netlib::Result<std::set<std::string>> knownVeths(const std::vector<AttachmentKey>& lost);
  netlib::Result<> links(const NetworkName& network, const std::string& kind,
                         netlib::IfName (*nameOf)(const AttachmentKey& key));
  netlib::Result<> claims(const Lock& hostLock, const NetworkName& network);
  netlib::Result<> forwards(netlib::Family family, const std::vector<netlib::IpPrefix>& subnets);
  netlib::Result<> restrictions(netlib::Family family, const std::vector<netlib::IpPrefix>& subnets);
  netlib::Result<> guards(const std::set<std::string>& veths);
  netlib::Result<> policies(netlib::Family family, const std::set<std::string>& veths);
  /// The counters and limits to which the elements of such policies lead.
  netlib::Result<> policyObjects(netlib::Family family, const std::set<std::string>& veths);
  netlib::Result<> chains(const Lock& hostLock, netlib::Family family, const NetworkName& network);
  netlib::Result<> masquerades(netlib::Family family, const NetworkName& network, const std::string& chain);
  netlib::Result<> subnetChains(const Lock& hostLock, netlib::Family family,
                                const std::vector<netlib::IpPrefix>& subnets);
  netlib::Result<> noteBridge(const Lock& hostLock, const std::string& sharedState, const netlib::IfName& bridge);
  netlib::Result<> countPolicies(const Lock& hostLock, const std::string& sharedState, const netlib::IfName& bridge,
                                 const char* set);
  netlib::Result<> emptyTables(const Lock& hostLock);

  Host& host_;
  Mode mode_;
  std::vector<Orphan> found_;
  std::map<netlib::nft::TableFamily, std::size_t> left_;  ///< orphaned elements that were not deleted
};

}  // namespace pons
