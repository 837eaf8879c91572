#include "plugin/ledger/port_claims.h"

#include <algorithm>
#include <charconv>

#include "plugin/ledger/claims.h"

namespace pons::port_claims {

using netlib::Directory;
using netlib::IpAddress;
using netlib::Result;

namespace {

constexpr char kPositionSeparator = '@';

std::optional<std::size_t> positionIn(std::string_view name) {
  const std::size_t at = name.find(kPositionSeparator);
  if (at == std::string_view::npos) return 0;
  std::size_t position = 0;
  const char* end = name.data() + name.size();
  const auto [last, error] = std::from_chars(name.data() + at + 1, end, position);
  return error == std::errc{} && last == end ? std::optional{position} : std::nullopt;
}

/// Empty if there is no directory. ENOTDIR if it is not a directory: an unreadable port does not count as free.
Result<std::vector<std::string>> namesOf(const Directory& state, const PortForward& forward) {
  auto names = state.list(portDirectory(forward.protocol, forward.hostPort));
  return names.failedWith(ENOENT) ? std::vector<std::string>{} : std::move(names);
}

struct Claim {
  std::string name;  ///< below the state directory
  IpAddress hostAddress;
  std::size_t position;
  std::optional<AttachmentKey> owner;  ///< nothing if it is stale
};

/// All claims of the port, at any address, by position.
Result<std::vector<Claim>> claimsOf(const Directory& state, const PortForward& forward) {
  const std::string directory = portDirectory(forward.protocol, forward.hostPort);
  std::vector<Claim> claims;
  for (const std::string& name : TRY(namesOf(state, forward))) {
    const std::string claim = directory + "/" + name;
    const auto address = addressIn(name);
    if (!address)
      return netlib::fail(netlib::Cause::Damaged, state.path() + "/" + claim + " is not named after an address");
    auto owner = TRY(ownerOf(state, claim));
    claims.push_back({claim, *address, *positionIn(name), std::move(owner)});
  }
  std::ranges::sort(claims, {}, &Claim::position);
  return claims;
}

Result<std::vector<Claim>> claimsAtSameAddress(const Directory& state, const PortForward& forward) {
  std::vector<Claim> claims = TRY(claimsOf(state, forward));
  std::erase_if(claims, [&](const Claim& claim) { return claim.hostAddress != forward.hostAddress; });
  return claims;
}

ClaimLink linkAt(const AttachmentKey& key, const PortForward& forward, std::size_t position) {
  ClaimLink link = portClaim(key, forward);
  if (position != 0) link.name.append(1, kPositionSeparator).append(std::to_string(position));
  return link;
}

bool overlap(const IpAddress& a, const IpAddress& b) {
  return a.family() == b.family() && (a == b || a.isUnspecified() || b.isUnspecified());
}

/// "host port 8080/tcp on 10.0.0.1"
std::string described(const PortForward& forward, const IpAddress& hostAddress) {
  return "host port " + std::to_string(forward.hostPort) + "/" + std::string{nameOf(forward.protocol)} + " on " +
         hostAddress.toString();
}

netlib::Failure<Refusal> taken(const Directory& state, const PortForward& forward, const Claim& claim) {
  const bool same = claim.hostAddress == forward.hostAddress;
  const std::string wanted = same ? "" : described(forward, forward.hostAddress) + ": ";
  return inUseBy(*claim.owner, wanted + described(forward, claim.hostAddress) + " is published by " +
                                   pons::described(state, *claim.owner));
}

bool collide(const PortForward& a, const PortForward& b) {
  return a.protocol == b.protocol && a.hostPort == b.hostPort && overlap(a.hostAddress, b.hostAddress);
}

}  // namespace

Result<std::vector<AttachmentKey>, Refusal> check(const Directory& state, const Attachment& attachment) {
  std::vector<AttachmentKey> sharers;
  for (auto forward = attachment.forwards.begin(); forward != attachment.forwards.end(); ++forward) {
    const auto collides = [&](const PortForward& earlier) { return collide(earlier, *forward); };
    if (std::any_of(attachment.forwards.begin(), forward, collides)) {
      return netlib::fail(netlib::Cause::InUse, described(*forward, forward->hostAddress) + " is requested twice by " +
                                                    pons::described(attachment.key));
    }
    for (const Claim& claim : TRY(claimsOf(state, *forward))) {
      if (!overlap(claim.hostAddress, forward->hostAddress)) continue;
      if (!claim.owner) {
        TRY(state.remove(claim.name));
      } else if (claim.owner->container == attachment.key.container) {
        sharers.push_back(*claim.owner);
      } else {
        return taken(state, *forward, claim);
      }
    }
  }
  return sharers;
}

Result<> add(const Directory& state, const PortForward& forward, const AttachmentKey& key) {
  // Usually the only claim of its port, so its directory does not exist yet.
  TRY(state.createDirectories(portDirectory(forward.protocol, forward.hostPort)));
  for (std::size_t position = 0;; ++position) {
    const ClaimLink link = linkAt(key, forward, position);
    const Result<> taken = addClaim(state, link, key);
    if (!taken.failedWith(netlib::Cause::InUse)) return taken;
  }
}

Result<> remove(const Directory& state, const PortForward& forward, const AttachmentKey& key, bool alone) {
  if (alone) {
    TRY(removeClaim(state, portClaim(key, forward), key));
  } else {
    std::size_t position = 0;
    for (const Claim& claim : TRY(claimsAtSameAddress(state, forward))) {
      const bool remains = claim.owner && claim.owner != key;
      if (remains && claim.position == position) {
        ++position;
        continue;
      }
      if (remains) TRY(addClaim(state, linkAt(*claim.owner, forward, position++), *claim.owner));
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

Result<std::optional<AttachmentKey>> otherOwner(const Directory& state, const PortForward& forward,
                                                const ContainerId& container) {
  for (Claim& claim : TRY(claimsOf(state, forward))) {
    const bool isOther = claim.owner && claim.owner->container != container;
    if (isOther && overlap(claim.hostAddress, forward.hostAddress)) return std::move(claim.owner);
  }
  return std::optional<AttachmentKey>{};
}

std::string described(const PortForward& forward) { return described(forward, forward.hostAddress); }

Result<bool> isClaimed(const Directory& state, const PortForward& forward) {
  const std::string directory = portDirectory(forward.protocol, forward.hostPort);
  for (const std::string& name : TRY(namesOf(state, forward))) {
    if (addressIn(name) == forward.hostAddress && TRY(ownerOf(state, directory + "/" + name))) return true;
  }
  return false;
}

std::optional<IpAddress> addressIn(std::string_view claimName) {
  return positionIn(claimName) ? IpAddress::parse(claimName.substr(0, claimName.find(kPositionSeparator)))
                               : std::nullopt;
}

}  // namespace pons::port_claims
