#include "plugin/ctl/explain.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/engine/plan.h"
#include "plugin/ledger/address_pool.h"
#include "plugin/verbs/attachment_builder.h"

namespace pons::ctl {

namespace {

/// The first address of each range set; for a foreign IPAM plugin one of TEST-NET-1 (RFC 5737).
std::vector<Lease> exampleLeases(const cni::Config& config) {
  std::vector<Lease> leases;
  for (const RangeSet& set : config.addresses.sets) {
    const AddressPool pool{set, config.addresses.excluded};
    if (pool.size() > 0) leases.push_back(pool.leaseOf(pool.nth(0)));
  }
  for (const Lease& lease : config.addresses.fixed) leases.push_back(lease);
  if (config.delegated) {
    leases.push_back({*netlib::IpPrefix::parse("192.0.2.2/24"), netlib::IpAddress::parse("192.0.2.1")});
  }
  return leases;
}

std::vector<std::string> assumptionsOf(const cni::Request& request, const Attachment& attachment) {
  std::vector<std::string> assumptions;
  std::vector<std::string> addresses;
  for (const Lease& lease : attachment.leases) addresses.push_back(lease.address.toString());
  if (!addresses.empty()) assumptions.push_back("gets " + joined(addresses));
  if (request.config.delegated) assumptions.push_back("uses the IPAM plugin " + request.config.delegated->type);
  const std::vector<std::string> ports = portsOf(attachment.forwards);
  if (!ports.empty()) assumptions.push_back("publishes " + joined(ports));
  for (const PortForward& forward : attachment.forwards) {
    if (forward.allowFrom.empty()) continue;
    addNew(assumptions, "allows " + textOf(forward) + " from " + joined(textsOf(forward.allowFrom)));
  }
  return assumptions;
}

}  // namespace

void writePlan(json::Writer& writer, const cni::Request* request) {
  std::optional<netlib::Result<Attachment>> attachment;  // must outlive the plan
  if (request != nullptr) {
    const auto& config = request->config;
    attachment = attachmentFor(*request, NetnsId{}, config.mtu.bytes, exampleLeases(config));
  }
  Plan plan;
  std::vector<std::string> assumptions;
  if (attachment && attachment->ok()) {
    plan = planFor(**attachment);
    assumptions = assumptionsOf(*request, **attachment);
  } else if (attachment) {
    assumptions = {attachment->error().message};
  }
  writeStrings(writer, "assumptions", assumptions);
  writeObjects(writer, "plan", plan, [](json::Writer& to, const StepPointer& step) {
    to.member("state", step->name()).member("shared", !step->sharedState().empty());
  });
}

}  // namespace pons::ctl
