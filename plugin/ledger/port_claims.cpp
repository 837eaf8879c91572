#include "plugin/ledger/port_claims.h"

#include <algorithm>
#include <charconv>

#include "plugin/ledger/claims.h"

namespace pons::port_claims {

using netlib::Directory;
using netlib::IpAddress;
using netlib::Result;

namespace {

constexpr char kBeforePlace = '@';

std::optional<std::size_t> placeIn(std::string_view name) {
  const std::size_t at = name.find(kBeforePlace);
  if (at == std::string_view::npos) return 0;
  std::size_t place = 0;
  const char* end = name.data() + name.size();
  const auto [last, error] = std::from_chars(name.data() + at + 1, end, place);
  return error == std::errc{} && last == end ? std::optional{place} : std::nullopt;
}

/// None where there is no directory. ENOTDIR where something else has its place: what cannot be read is not free.
Result<std::vector<std::string>> namesOf(const Directory& state, const PortForward& forward) {
  auto names = state.list(portDirectory(forward.protocol, forward.hostPort));
  return names.failedWith(ENOENT) ? std::vector<std::string>{} : std::move(names);
}

/// One that is there, of whichever address.
struct Claim {
  std::string name;  ///< below the state directory
  IpAddress hostAddress;
  std::size_t place;
  std::optional<AttachmentKey> owner;  ///< nothing where it is stale
};

/// All of the forward's port, in their order.
Result<std::vector<Claim>> claimsOf(const Directory& state, const PortForward& forward) {
  const std::string directory = portDirectory(forward.protocol, forward.hostPort);
  std::vector<Claim> claims;
  for (const std::string& name : TRY(namesOf(state, forward))) {
    const std::string claim = directory + "/" + name;
    const auto address = addressIn(name);
    if (!address) return netlib::fail(EBADMSG, state.path() + "/" + claim + " is not named after an address");
    auto owner = TRY(ownerOf(state, claim));
    claims.push_back({claim, *address, *placeIn(name), std::move(owner)});
  }
  std::ranges::sort(claims, {}, &Claim::place);
  return claims;
}

Result<std::vector<Claim>> claimsAtSameAddress(const Directory& state, const PortForward& forward) {
  std::vector<Claim> claims = TRY(claimsOf(state, forward));
  std::erase_if(claims, [&](const Claim& claim) { return claim.hostAddress != forward.hostAddress; });
  return claims;
}

ClaimLink linkAt(const AttachmentKey& key, const PortForward& forward, std::size_t place) {
  ClaimLink link = portClaim(key, forward);
  if (place != 0) link.name.append(1, kBeforePlace).append(std::to_string(place));
  return link;
}

bool conflict(const IpAddress& a, const IpAddress& b) {
  return a.family() == b.family() && (a == b || a.isUnspecified() || b.isUnspecified());
}

/// "host port 8080/tcp on 10.0.0.1"
std::string described(const PortForward& forward, const IpAddress& hostAddress) {
  return "host port " + std::to_string(forward.hostPort) + "/" + std::string{nameOf(forward.protocol)} + " on " +
         hostAddress.toString();
}

netlib::Failure<netlib::Error> taken(const PortForward& forward, const Claim& rival) {
  const bool same = rival.hostAddress == forward.hostAddress;
  const std::string wanted = same ? "" : described(forward, forward.hostAddress) + ": ";
  return netlib::fail(
      EADDRINUSE, wanted + described(forward, rival.hostAddress) + " is published by " + pons::described(*rival.owner));
}

bool collide(const PortForward& a, const PortForward& b) {
  return a.protocol == b.protocol && a.hostPort == b.hostPort && conflict(a.hostAddress, b.hostAddress);
}

}  // namespace

Result<std::vector<AttachmentKey>> check(const Directory& state, const Attachment& attachment,
                                         std::optional<AttachmentKey>& rival) {
  std::vector<AttachmentKey> sharers;
  for (auto forward = attachment.forwards.begin(); forward != attachment.forwards.end(); ++forward) {
    const auto collides = [&](const PortForward& earlier) { return collide(earlier, *forward); };
    if (std::any_of(attachment.forwards.begin(), forward, collides)) {
      return netlib::fail(EADDRINUSE, described(*forward, forward->hostAddress) + " is asked for twice by " +
                                          pons::described(attachment.key));
    }
    for (const Claim& claim : TRY(claimsOf(state, *forward))) {
      if (!conflict(claim.hostAddress, forward->hostAddress)) continue;
      if (!claim.owner) {
        TRY(state.remove(claim.name));
      } else if (claim.owner->container == attachment.key.container) {
        sharers.push_back(*claim.owner);
      } else {
        rival = claim.owner;
        return taken(*forward, claim);
      }
    }
  }
  return sharers;
}

Result<> take(const Directory& state, const PortForward& forward, const AttachmentKey& key) {
  // Nearly always the only claim of its port.
  TRY(state.makeDirectories(portDirectory(forward.protocol, forward.hostPort)));
  for (std::size_t place = 0;; ++place) {
    const ClaimLink link = linkAt(key, forward, place);
    const Result<> taken = pons::take(state, link, key);
    if (!taken.failedWith(EADDRINUSE)) return taken;
  }
}

Result<> drop(const Directory& state, const PortForward& forward, const AttachmentKey& key, bool alone) {
  if (alone) {
    TRY(pons::drop(state, portClaim(key, forward), key));
  } else {
    std::size_t place = 0;
    for (const Claim& claim : TRY(claimsAtSameAddress(state, forward))) {
      const bool stays = claim.owner && claim.owner != key;
      if (stays && claim.place == place) {
        ++place;
        continue;
      }
      if (stays) TRY(pons::take(state, linkAt(*claim.owner, forward, place++), *claim.owner));
      TRY(state.remove(claim.name));
    }
  }
  TRY(removeIfEmpty(state, portDirectory(forward.protocol, forward.hostPort)));
  return {};
}

Result<std::vector<AttachmentKey>> owners(const Directory& state, const PortForward& forward) {
  std::vector<AttachmentKey> owners;
  for (Claim& claim : TRY(claimsAtSameAddress(state, forward))) {
    if (claim.owner) owners.push_back(*std::move(claim.owner));
  }
  return owners;
}

Result<bool> has(const Directory& state, const PortForward& forward, const AttachmentKey& key) {
  const std::string directory = portDirectory(forward.protocol, forward.hostPort);
  for (const std::string& name : TRY(namesOf(state, forward))) {
    if (addressIn(name) != forward.hostAddress) continue;
    const auto owner = pointeeOf(state, directory + "/" + name);
    if (!owner.ok() || *owner == key) return true;
  }
  return false;
}

Result<bool> isClaimed(const Directory& state, const PortForward& forward) {
  const auto names = TRY(namesOf(state, forward));
  return std::ranges::find(names, std::optional{forward.hostAddress}, addressIn) != names.end();
}

std::optional<IpAddress> addressIn(std::string_view claimName) {
  return placeIn(claimName) ? IpAddress::parse(claimName.substr(0, claimName.find(kBeforePlace))) : std::nullopt;
}

}  // namespace pons::port_claims
