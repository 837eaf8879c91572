#include "plugin/verbs/host_listeners.h"

#include <set>

#include "netlib/filter/bound_sockets.h"

#include "plugin/telemetry/log.h"

namespace pons {

namespace bound_sockets = netlib::bound_sockets;

namespace {

std::vector<bound_sockets::Endpoint> endpointsOf(const Attachment& attachment) {
  std::vector<bound_sockets::Endpoint> endpoints;
  for (const PortForward& forward : attachment.forwards) {
    if (forward.protocol == Protocol::Sctp) continue;
    // There, programs at all addresses are found as well.
    const bool isAtLoopback = attachment.loopbackPorts && forward.hostAddress.isIpv4();
    const netlib::IpAddress address = forward.hostAddress.isUnspecified() && isAtLoopback
                                          ? *netlib::IpAddress::parse("127.0.0.1")
                                          : forward.hostAddress;
    endpoints.push_back({static_cast<std::uint8_t>(forward.protocol), address, forward.hostPort});
  }
  return endpoints;
}

}  // namespace

void warnOfHostListeners(const Attachment& attachment) {
  const auto endpoints = endpointsOf(attachment);
  if (endpoints.empty()) return;
  // A kernel without sock_diag (CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG), or a sandbox that refuses it: nothing is
  // known.
  auto diagnosis = netlib::Socket::open(netlib::Socket::Subsystem::SocketDiagnosis);
  const auto found = diagnosis ? bound_sockets::find(*diagnosis, endpoints) : netlib::fail(diagnosis.error());
  if (!found) return;
  std::set<std::uint32_t> reported;  // one socket at :: has IPv4 and IPv6
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto& socket = (*found)[i];
    if (!socket || !reported.insert(socket->inode).second) continue;
    log::warning("port-shadowed", "a program of the host, of user ID " + std::to_string(socket->uid) + ", listens at " +
                                      socket->address.toString() + " port " + std::to_string(socket->port) + "/" +
                                      std::string{nameOf(Protocol{endpoints[i].protocol})} +
                                      ": connections go to the container that publishes it");
  }
}

}  // namespace pons
