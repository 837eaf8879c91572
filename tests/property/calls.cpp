// Calls of a runtime that must succeed, and "ponsctl repair".
#include <algorithm>

#include "tests/property/commands.h"

namespace property {
namespace {

/// Of a container that is not attached, or of a dead one in its network.
Action add(const Model& model) {
  const unsigned container = pickFrom(containersWhere([&](unsigned number) { return !model.isAlive(number); }));
  const auto dead = model.attached.find(container);
  const unsigned network = dead == model.attached.end() ? pickNetwork() : dead->second.networkIndex;
  const Attachment attachment = pickAttachment(network, freePorts(model, container));
  return {
      .line = lineOf("ADD", container, attachment),
      .isPossible =
          [=](const Model& now) {
            const auto other = now.attached.find(container);
            return (other == now.attached.end() || (other->second.isDead && other->second.networkIndex == network)) &&
                   std::ranges::count(freePorts(now, container), attachment.settings.port) == 1;
          },
      .change = [=](Model& now) { now.attach(container, attachment); },
      .execute = [=](const Model&, TestHost& host) { host.attach(container, attachment); }};
}

Action del(const Model& model) {
  const unsigned container =
      pickFrom(containersWhere([&](unsigned number) { return model.attached.contains(number); }));
  return {
      .line = "DEL " + nameOf(container),
      .isPossible = [=](const Model& now) { return now.attached.contains(container); },
      .change = [=](Model& now) { now.detach(container); },
      .execute = [=](const Model& before, TestHost& host) { host.detach(container, before.attached.at(container)); }};
}

/// Of a container that is not attached, any more or at all.
Action delAgain(const Model& model) {
  const unsigned container = pickFrom(unattached(model));
  const Attachment attachment{.networkIndex = pickNetwork()};
  return {.line = lineOf("DEL", container, attachment) + "  # is not attached",
          .isPossible = [=](const Model& now) { return !now.attached.contains(container); },
          .change = unchanged,
          .execute = [=](const Model&, TestHost& host) { host.detach(container, attachment); }};
}

Action gc(const Model&) {
  const unsigned network = pickNetwork();
  std::optional<std::set<unsigned>> valid;
  std::string line = "GC " + networks().at(network).name;
  if (pick(2) == 1) {
    valid.emplace();
    line += " valid:";
    for (const unsigned container : containersWhere([](unsigned) { return pick(2) == 0; })) {
      valid->insert(container);
      line += " " + nameOf(container);
    }
  }
  return {.line = line,
          .isPossible = always,
          .change = [=](Model& now) { now.collect(network, valid); },
          .execute = [=](const Model&, TestHost& host) { host.collect(networks().at(network), valid); }};
}

Action status(const Model&) {
  const unsigned network = pickNetwork();
  return {.line = "STATUS " + networks().at(network).name,
          .isPossible = always,
          .change = [=](Model& now) { now.repairShared(network); },
          .execute = [=](const Model&, TestHost& host) { host.requireStatus(networks().at(network)); }};
}

Action repair(const Model&) {
  return {.line = "ponsctl repair",
          .isPossible = always,
          .change = [](Model& now) { now.repairAll(); },
          .execute = [](const Model& before, TestHost& host) { host.repair(!before.hasDead()); }};
}

}  // namespace

std::vector<MakeAction> calls() {
  return {add, add, add, add, add, add, del, del, delAgain, gc, status, repair, repair};
}

}  // namespace property
