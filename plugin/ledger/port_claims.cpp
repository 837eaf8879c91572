#include "plugin/ledger/port_claims.h"

#include "plugin/ledger/claims.h"

namespace pons {

using netlib::Directory;
using netlib::IpAddress;
using netlib::Result;

namespace {

bool conflict(const IpAddress& a, const IpAddress& b) {
  return a.family() == b.family() && (a == b || a.isUnspecified() || b.isUnspecified());
}

/// "host port 8080/tcp on 10.0.0.1"
std::string described(const PortForward& forward, const IpAddress& hostAddress) {
  return "host port " + std::to_string(forward.hostPort) + "/" + std::string{nameOf(forward.protocol)} + " on " +
         hostAddress.toString();
}

Result<> checkAgainstClaim(const Directory& state, const PortForward& forward, const std::string& directory,
                           const std::string& name) {
  const std::string claim = directory + "/" + name;
  const auto claimed = IpAddress::parse(name);
  if (!claimed) return netlib::fail(EBADMSG, state.path() + "/" + claim + " is not named after an address");
  if (!conflict(*claimed, forward.hostAddress)) return {};

  const auto owner = TRY(ownerOf(state, claim));
  if (!owner) return state.remove(claim);
  const std::string wanted = *claimed == forward.hostAddress ? "" : described(forward, forward.hostAddress) + ": ";
  return netlib::fail(EADDRINUSE, wanted + described(forward, *claimed) + " is published by " + described(*owner));
}

Result<> checkAgainstClaims(const Directory& state, const PortForward& forward) {
  const std::string directory = portDirectory(forward.protocol, forward.hostPort);
  const auto names = state.list(directory);
  if (names.failedWith(ENOENT)) return {};
  if (!names.ok()) return netlib::fail(names.error());
  for (const std::string& name : *names) TRY(checkAgainstClaim(state, forward, directory, name));
  return {};
}

}  // namespace

Result<> checkPorts(const Directory& state, const Attachment& attachment) {
  const std::vector<PortForward>& forwards = attachment.forwards;
  for (auto forward = forwards.begin(); forward != forwards.end(); ++forward) {
    for (auto earlier = forwards.begin(); earlier != forward; ++earlier) {
      if (earlier->protocol == forward->protocol && earlier->hostPort == forward->hostPort &&
          conflict(earlier->hostAddress, forward->hostAddress)) {
        return netlib::fail(EADDRINUSE, described(*forward, forward->hostAddress) + " is asked for twice by " +
                                            described(attachment.key));
      }
    }
    TRY(checkAgainstClaims(state, *forward));
  }
  return {};
}

}  // namespace pons
