// A host between an external peer and its containers, which the built binary attaches to one dual-stack network.
// Container "a" publishes its port 80 as the host's 8080; "b" is a neighbour and client.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "tests/support/fake_host.h"
#include "tests/support/traffic.h"

namespace support {

inline constexpr std::uint16_t kHostPort = 8080;
inline constexpr std::uint16_t kContainerPort = 80;

/// The addresses of one family.
struct Addresses {
  netlib::Family family;
  std::string host;  ///< on the uplink
  std::string outside;
  std::string gateway;
  std::string a;
  std::string b;
  std::string any;
};

const Addresses& addressesOf(netlib::Family family);

/// runtimeConfig member with fixed container addresses.
std::string ipsOf(const std::string& ipv4, const std::string& ipv6);
/// runtimeConfig member: the container's port 80 as the host's 8080, TCP and UDP; `hostAddress` empty: of every
/// address.
std::string publishing(const std::string& hostAddress = "");

struct Topology {
  FakeHost host;
  std::string outside = host.addOutside();
  std::list<Server> servers;
  /// Additional configuration members, each preceded by a comma.
  std::string members;

  /// An empty namespace and an ADD with these members of runtimeConfig. The path is returned: a Place.
  std::string attach(const std::string& container, const std::string& runtimeConfig);
  /// "a" with servers on port 80 that answer "a", and "b".
  void attachBoth();

  Outcome add(const std::string& container, const std::string& runtimeConfig);
  /// Must succeed.
  void del(const std::string& container);

  /// A container of another network, on the bridge pons1: 10.43.0.2 and fd00:43::2. `more`: members, each preceded by a
  /// comma.
  std::string attachElsewhere(const std::string& container, const std::string& ingressPolicy,
                              const std::string& more = "");
  void delElsewhere(const std::string& container);

  /// Answers in both families by TCP and UDP on all addresses of that namespace.
  void serve(const Place& place, std::uint16_t port, const std::string& label);
  /// On one address only.
  void serveAt(const Place& place, const Endpoint& local, const std::string& label);
};

/// Transport and addresses of one kind of traffic.
struct Way {
  Transport transport;
  Addresses addresses;
};

/// Calls `work` for IPv4 and IPv6, TCP and UDP, with both containers, each with bridge-nf-call-iptables 0 and 1. Counts
/// a skip if a fake host is not available.
void forEachWay(const std::function<void(Topology& topology, const Way& way)>& work);

/// A topology without containers; counts a skip if a fake host is not available.
void inTopology(const std::function<void(Topology& topology)>& work);

inline std::string pathOf(const std::string& container) { return "/run/netns/" + container; }

}  // namespace support
