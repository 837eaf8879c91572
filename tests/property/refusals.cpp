// ADDs that must fail and change nothing.
#include <algorithm>

#include "tests/property/commands.h"

namespace property {
namespace {

/// The container's namespace has an interface of that name already. The ADD fails at its veth, when it has restored
/// lost tables: whether a later ADD restores all of them is not known any more.
Action addToInterface(const Model& model) {
  const Attachment attachment = pickAttachment(pickNetwork(), freePorts(model, 0));
  return {.line = lineOf("ADD", TestHost::kBusy, attachment) + "  # fails: has an interface eth0",
          .isPossible = [=](const Model& now) { return now.ownerOf(attachment.settings.port) == 0; },
          .change = [](Model& now) { now.lostTables.clear(); },
          .execute = [=](const Model&, TestHost& host) { host.refuseInterface(attachment); }};
}

/// Another container publishes the port.
Action addTakenPort(const Model& model) {
  const unsigned container = pickFrom(unattached(model));
  std::vector<unsigned> taken = hostPorts();
  std::erase_if(taken, [&](unsigned port) { return !model.isAlive(model.ownerOf(port)); });
  const Attachment attachment = pickAttachment(pickNetwork(), taken);
  return {
      .line = lineOf("ADD", container, attachment) + "  # fails: port in use",
      .isPossible =
          [=](const Model& now) {
            return !now.attached.contains(container) && now.isAlive(now.ownerOf(attachment.settings.port));
          },
      .change = unchanged,
      .execute = [=](const Model&,
                     TestHost& host) { host.refuse(container, attachment, attachment.network().numberOf(container)); }};
}

/// The requested address is leased to another container of the network.
Action addTakenAddress(const Model& model) {
  const unsigned container = pickFrom(unattached(model));
  const unsigned owner = pickFrom(alive(model));
  const unsigned network = model.attached.at(owner).networkIndex;
  const Attachment attachment = pickAttachment(network, {0});
  const auto isDeadThere = [=](const auto& entry) {
    return entry.second.isDead && entry.second.network().bridge == networks().at(network).bridge;
  };
  return {.line = lineOf("ADD", container, attachment) + "  # fails: requests the address of " + nameOf(owner),
          .isPossible =
              [=](const Model& now) {
                return !now.attached.contains(container) && now.isAlive(owner) &&
                       now.attached.at(owner).networkIndex == network &&
                       // Or else the dead ones of the networks on its bridge are collected first.
                       std::ranges::none_of(now.attached, isDeadThere);
              },
          .change = unchanged,
          .execute = [=](const Model&,
                         TestHost& host) { host.refuse(container, attachment, attachment.network().numberOf(owner)); }};
}

Action addAgain(const Model& model) {
  const unsigned container = pickFrom(alive(model));
  const unsigned network = model.attached.at(container).networkIndex;
  const Attachment attachment = pickAttachment(network, {0});
  return {.line = lineOf("ADD", container, attachment) + "  # fails: is attached",
          .isPossible =
              [=](const Model& now) {
                return now.isAlive(container) && now.attached.at(container).networkIndex == network;
              },
          .change = unchanged,
          .execute = [=](const Model&, TestHost& host) { host.refuseAgain(container, attachment); }};
}

}  // namespace

std::vector<MakeAction> refusals() { return {addToInterface, addTakenPort, addTakenAddress, addAgain}; }

}  // namespace property
