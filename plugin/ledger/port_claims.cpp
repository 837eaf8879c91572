#include "plugin/ledger/port_claims.h"

#include <algorithm>

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

/// A claim that is in a forward's way.
struct Rival {
  IpAddress hostAddress;
  AttachmentKey owner;
};

Result<std::optional<Rival>> rivalAt(const Directory& state, const PortForward& forward, const std::string& directory,
                                     const std::string& name) {
  const std::string claim = directory + "/" + name;
  const auto claimed = IpAddress::parse(name);
  if (!claimed) return netlib::fail(EBADMSG, state.path() + "/" + claim + " is not named after an address");
  if (!conflict(*claimed, forward.hostAddress)) return std::optional<Rival>{};
  if (const auto owner = TRY(ownerOf(state, claim))) return std::optional{Rival{*claimed, *owner}};
  TRY(state.remove(claim));
  return std::optional<Rival>{};
}

Result<std::optional<Rival>> rivalOf(const Directory& state, const PortForward& forward) {
  const std::string directory = portDirectory(forward.protocol, forward.hostPort);
  const auto names = state.list(directory);
  if (names.failedWith(ENOENT)) return std::optional<Rival>{};
  if (!names.ok()) return netlib::fail(names.error());
  for (const std::string& name : *names) {
    if (const auto rival = TRY(rivalAt(state, forward, directory, name))) return rival;
  }
  return std::optional<Rival>{};
}

netlib::Failure<netlib::Error> taken(const PortForward& forward, const Rival& rival) {
  const bool same = rival.hostAddress == forward.hostAddress;
  const std::string wanted = same ? "" : described(forward, forward.hostAddress) + ": ";
  return netlib::fail(EADDRINUSE,
                      wanted + described(forward, rival.hostAddress) + " is published by " + described(rival.owner));
}

bool collide(const PortForward& a, const PortForward& b) {
  return a.protocol == b.protocol && a.hostPort == b.hostPort && conflict(a.hostAddress, b.hostAddress);
}

}  // namespace

Result<> settlePorts(const Directory& state, Attachment& attachment) {
  std::vector<PortForward> kept;
  for (const PortForward& forward : attachment.forwards) {
    if (std::ranges::any_of(kept, [&](const PortForward& earlier) { return collide(earlier, forward); })) {
      return netlib::fail(
          EADDRINUSE, described(forward, forward.hostAddress) + " is asked for twice by " + described(attachment.key));
    }
    const auto rival = TRY(rivalOf(state, forward));
    if (rival && rival->owner.container == attachment.key.container) continue;
    if (rival) return taken(forward, *rival);
    kept.push_back(forward);
  }
  attachment.forwards = std::move(kept);
  return {};
}

}  // namespace pons
