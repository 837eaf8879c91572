// A whole configuration through ADD, as far as it goes without a kernel: decoded, its addresses chosen, the attachment
// built and planned, and its record written and read again. The mutator knows the key table.
#include <algorithm>

#include "plugin/cni/decode/request.h"
#include "plugin/engine/plan.h"
#include "plugin/ledger/address_pool.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/record.h"
#include "plugin/model/shared_state.h"
#include "plugin/verbs/attachment_builder.h"

#include "tests/fuzz/targets.h"

namespace {

using namespace pons;

constexpr NetnsId kNetns{.device = 4, .inode = 4026531840};

cni::Environment environmentOf(cni::Applet applet) {
  cni::Environment environment{.command = "ADD",
                               .containerId = "c1",
                               .netns = "/run/netns/c1",
                               .ifName = "eth0",
                               .args = "",
                               .path = "/opt/cni/bin",
                               .stateDir = ""};
  environment.applet = applet;
  return environment;
}

/// As Ledger::reserve() chooses in an empty ledger: the requested address, else the first one. Nothing for an empty
/// pool.
std::optional<std::vector<Lease>> leasesFor(const AddressRequest& request) {
  std::vector<Lease> leases;
  for (const RangeSet& set : request.sets) {
    const AddressPool pool{set, request.excluded};
    if (pool.size() == 0) return std::nullopt;
    netlib::IpAddress chosen = pool.nth(0);
    for (const netlib::IpAddress& wanted : request.requested) {
      if (std::ranges::any_of(set, [&](const Range& range) { return range.subnet.contains(wanted); })) chosen = wanted;
    }
    leases.push_back(pool.leaseOf(chosen));
  }
  leases.insert(leases.end(), request.fixed.begin(), request.fixed.end());
  return leases;
}

void checkRecord(const Attachment& attachment) {
  for (const RecordState state : {RecordState::Claimed, RecordState::Committed, RecordState::Deleting}) {
    const auto again = decodeRecord(encodeRecord(attachment, state));
    HOLDS(again.ok());
    HOLDS(again->attachment == attachment);
    HOLDS(again->state == state);
  }
}

/// What a step shares with other attachments is claimed with the record.
void checkPlan(const Attachment& attachment) {
  const std::vector<std::string> shared = sharedStatesOf(attachment);
  const Plan plan = planFor(attachment);
  HOLDS(!plan.empty());
  for (const StepPointer& step : plan) {
    HOLDS(!step->name().empty());
    HOLDS(step->sharedState().empty() || std::ranges::find(shared, step->sharedState()) != shared.end());
  }
}

void checkClaims(const Attachment& attachment) {
  const auto isBelow = [](const ClaimLink& claim) { return claim.name.find("..") == std::string::npos; };
  for (const Lease& lease : attachment.leases) HOLDS(isBelow(addressClaim(attachment.key, lease.address.address())));
  for (const PortForward& forward : attachment.forwards) HOLDS(isBelow(portClaim(attachment.key, forward)));
}

void checkAdded(const cni::Request& request) {
  auto leases = leasesFor(request.config.addresses);
  if (!leases) return;
  const auto attachment = attachmentFor(request, kNetns, request.config.mtu.bytes, std::move(*leases));
  if (!attachment) {
    HOLDS(attachment.failedWith(netlib::Cause::Invalid));
    return;
  }
  HOLDS(attachment->key == request.key);
  checkRecord(*attachment);
  checkPlan(*attachment);
  checkClaims(*attachment);
}

}  // namespace

void fuzz::network(std::string_view input) {
  for (const cni::Applet applet : {cni::Applet::Pons, cni::Applet::Bridge}) {
    const auto request = cni::parseRequest(cni::Verb::Add, environmentOf(applet), input);
    if (request) checkAdded(*request);
  }
}
