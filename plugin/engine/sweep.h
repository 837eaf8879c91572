// Kernel objects that bear pons' mark and have no record: what is left where a ledger was lost.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugin/context/context.h"

namespace pons {

/// The networks whose mark links and chains of the kernel bear.
netlib::Result<std::vector<NetworkName>> markedNetworks(Host& host);
/// The bridges that pons made.
netlib::Result<std::vector<netlib::IfName>> markedBridges(Host& host);

/// What leftovers of a network are known by.
struct SweepScope {
  NetworkName network;
  std::vector<netlib::IpPrefix> subnets;  ///< its published ports lead into them, and its subnets' chains are theirs
};

/// One thing that was left behind.
struct Leftover {
  std::string kind;  ///< "link", "claims", "port", "chain", "masquerade", "guard", "policy", "bridge", "tables"
  std::string name;
  std::string why;  ///< it is nobody's
  std::optional<NetworkName> network = std::nullopt;
  std::optional<ContainerId> container = std::nullopt;

  friend bool operator==(const Leftover&, const Leftover&) = default;
};

/// Looks for leftovers, or takes them away, too. Goes on after failures.
class Sweep {
 public:
  enum class Mode : bool { Look, Take };

  /// It must live longer.
  Sweep(Host& host, Mode mode) : host_(host), mode_(mode) {}

  /// Of the network: links by their alias, published ports and chains in nf_tables, claims in the ledger.
  netlib::Result<> network(const SweepScope& scope);

  /// Guards and egress policies of ports that nobody on record has, of whichever network they were.
  netlib::Result<> ports();

  /// Where nobody on record needs it any more: the bridge if pons made it and what is pons' of it, the nf_tables tables
  /// and forwarding. After the networks, whose leftovers use them.
  netlib::Result<> shared(const netlib::IfName& bridge);

  /// What was found, each once.
  const std::vector<Leftover>& found() const { return found_; }

 private:
  /// True where it is to be taken away.
  bool note(Leftover leftover);
  bool noteUse(Leftover leftover);

  netlib::Result<bool> isHeld(const netlib::FileLock& hostLock, const std::string& hold);
  netlib::Result<> links(const NetworkName& network, const std::string& kind,
                         netlib::IfName (*nameOf)(const AttachmentKey& key));
  netlib::Result<> claims(const netlib::FileLock& hostLock, const NetworkName& network);
  netlib::Result<> forwards(netlib::Family family, const std::vector<netlib::IpPrefix>& subnets);
  netlib::Result<> guards(const std::set<std::string>& veths);
  netlib::Result<> policies(netlib::Family family, const std::set<std::string>& veths);
  netlib::Result<> chains(const netlib::FileLock& hostLock, netlib::Family family, const NetworkName& network);
  netlib::Result<> masquerades(netlib::Family family, const NetworkName& network, const std::string& chain);
  netlib::Result<> subnetChains(const netlib::FileLock& hostLock, netlib::Family family,
                                const std::vector<netlib::IpPrefix>& subnets);
  netlib::Result<> noteBridge(const netlib::FileLock& hostLock, const std::string& hold, const netlib::IfName& bridge);
  netlib::Result<> emptyTables(const netlib::FileLock& hostLock);

  Host& host_;
  Mode mode_;
  std::vector<Leftover> found_;
  std::size_t leftInTables_ = 0;  ///< of their elements, those that were found and not taken
};

}  // namespace pons
