// The model of the property test: who is attached with which settings, what the kernel must have for that, and which
// command repairs which damage. Written from README.md and the rules of shared state; it includes nothing of the
// product.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace property {

/// What can be seen in the kernel: "mtu ponsA" is "1400"; "element ip policy_bridges ponsA" is there, without a value.
using Facts = std::map<std::string, std::string>;

/// Of a network in one family, "ip" or "ip6".
struct Subnet {
  std::string family;
  std::string prefix;  ///< of its addresses: "10.42.0."
  unsigned length;

  std::string address(unsigned number) const { return prefix + std::to_string(number); }
  std::string gateway() const { return address(1); }
  std::string network() const { return prefix + (family == "ip" ? "0/" : "/") + std::to_string(length); }
};

/// "c1"
inline std::string nameOf(unsigned container) { return "c" + std::to_string(container); }

struct Network {
  std::string name;
  std::string bridge;
  std::vector<Subnet> subnets;
  unsigned first;        ///< container N has the addresses with the number first + N
  bool isChain = false;  ///< of the reference plugins' names: bridge, portmap and firewall

  unsigned numberOf(unsigned container) const { return first + container; }
};

/// Two that share a bridge and a subnet; two that share a bridge, one of them with IPv6 and one a chain; and one on a
/// bridge that pons did not create.
const std::vector<Network>& networks();
/// The bridge that existed before, with a port.
inline const std::string kForeignBridge = "br0";

enum class Ingress : unsigned char { Open, SameBridge, Isolated };

/// Of one attachment. See allowed() for what excludes what.
struct Settings {
  unsigned mtu = 0;  ///< 0: the kernel's, 1500
  Ingress ingress = Ingress::Open;
  unsigned port = 0;        ///< the host port that is published; 0: none
  bool udp = false;         ///< the port is published by UDP, too
  bool restricted = false;  ///< only clients of the outside may connect to it ("allowFrom")
  bool gateway = true;
  bool masquerade = true;
  bool hairpin = true;
  bool guard = true;      ///< of MAC and IP addresses; in a chain of MAC addresses only
  bool forward = true;    ///< accept rules in the host's firewall; in a chain: the plugin firewall
  bool sourceNat = true;  ///< "snat" of portmap; without it no port at 127.0.0.1
  bool promiscuous = false;
  bool isolated = false;
  bool internal = false;
  bool publishedOnly = false;
  bool silent = false;    ///< "onDeny": "drop"; in a chain: of the plugin firewall
  bool excluded = false;  ///< a destination is exempt from masquerade
  bool egress = false;    ///< an egress policy, which allows the gateway
};

/// The same settings without those that such a network refuses or ignores.
Settings allowed(Settings settings, const Network& network);

struct Attachment {
  unsigned networkIndex = 0;
  Settings settings = {};
  bool isDead = false;  ///< its network namespace was deleted without a DEL

  const Network& network() const { return networks().at(networkIndex); }
};

/// What one attachment needs of the kernel: CHECK succeeds exactly while all of it is there.
struct Needs {
  Facts shared;
  Facts own;
};

struct Model {
  std::map<unsigned, Attachment> attached;  ///< by the container's number; a dead one until DEL, GC or its next ADD
  bool hasFirewall = true;
  /// Facts that may be wrong since a damage, until a command repairs them.
  std::set<std::string> doubtful = {};
  /// Families whose table was deleted and certainly not rebuilt since.
  std::set<std::string> lostTables = {};

  Needs needsOf(unsigned container) const;
  /// The facts of the kernel without any damage.
  Facts expected() const;
  /// The container that publishes the host port; 0: none.
  unsigned ownerOf(unsigned port) const;
  bool hasDead() const;
  bool isAlive(unsigned container) const { return attached.contains(container) && !attached.at(container).isDead; }
  /// There, and not damaged.
  bool isCertain(const std::string& fact) const { return expected().contains(fact) && !doubtful.contains(fact); }

  void attach(unsigned container, const Attachment& attachment);
  void detach(unsigned container);
  void kill(unsigned container);
  /// With the list of containers that the runtime has, else the dead ones.
  void collect(unsigned networkIndex, const std::optional<std::set<unsigned>>& valid);
  void repairShared(unsigned networkIndex);
  void repairAll();

  void flushRuleset();
  void deleteTable(const std::string& family);
  void deleteBridge(const std::string& bridge);
  void reloadFirewall();
  void damage(const std::function<bool(const std::string& fact)>& isDamaged);

 private:
  void trust(const Facts& facts);
  void trustTables();
  void rebuildTablesOf(const Needs& needs);
  void forgetUnused();
};

}  // namespace property
