// The packets of ponsctl probe about one attachment, and the results so far.
#pragma once

#include "netlib/os/probe.h"
#include "netlib/rtnl/route.h"

#include "plugin/ctl/probe.h"
#include "plugin/firewall/egress_table.h"

namespace pons::ctl {

namespace packet = netlib::probe;

/// packet::echo(), connectTcp() or queryDns().
using Method = netlib::Result<packet::Outcome> (*)(const packet::Target& target, std::chrono::milliseconds timeout);

/// "answered in 0.3 ms", "no answer", …
std::string textOf(const packet::Outcome& outcome);
inline bool isAnswered(const packet::Outcome& outcome) { return outcome.end == packet::End::Answered; }

/// Of the main table, the one with the smallest metric; nothing if there is none or it cannot be read.
std::optional<netlib::route::Route> defaultRoute(Host& host, netlib::Family family);

struct Probing {
  Host& host;  ///< in the attachment's namespace
  const Attachment& attachment;
  std::chrono::milliseconds timeout;
  unsigned index;  ///< of the attachment's interface in the container
  std::vector<Probed> results = {};

  void add(std::string target, std::string address, Verdict verdict, std::string result);
  /// Adds the result where nothing more needs to be found out, and answers true: answered, or denied for that reason.
  bool settle(const std::string& target, const std::string& address, const packet::Outcome& outcome,
              const std::string& denial = {});

  /// Through the attachment's interface where the address is link-local, else as the container's routes have it.
  packet::Target targetAt(const netlib::IpAddress& address, Port port = 0) const;
  packet::Outcome fromHost(Method method, const packet::Target& to) const;
  packet::Outcome fromContainer(Method method, const packet::Target& to) const;

  /// Where it is not answered, also what pons has dropped meanwhile: "; meanwhile egressPolicy dropped 1 packet".
  struct Watched {
    packet::Outcome outcome;
    std::string drops = {};
  };
  Watched watched(Method method, const packet::Target& to) const;

  bool isInSubnet(const netlib::IpAddress& address) const;
  /// Why the configuration does not let it pass, "denied by egressPolicy"; empty where it does.
  std::string denialOf(const egress::Destination& to) const;
};

/// A connection from the host to the address at which the port is published, or to an own one and to 127.0.0.1.
void probePublished(Probing& probing, const PortForward& forward);

}  // namespace pons::ctl
