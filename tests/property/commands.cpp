#include "tests/property/commands.h"

#include <algorithm>
#include <array>

namespace property {
namespace {

/// Changes the host as it changes the model; then the host is compared with the model.
class Command final : public rc::state::Command<Model, TestHost> {
 public:
  explicit Command(Action action) : action_(std::move(action)) {}

  void checkPreconditions(const Model& model) const override { RC_PRE(action_.isPossible(model)); }
  void apply(Model& model) const override { action_.change(model); }
  void run(const Model& before, TestHost& host) const override {
    action_.execute(before, host);
    host.verify(nextState(before));
  }
  void show(std::ostream& out) const override { out << action_.line; }

 private:
  Action action_;
};

bool seldom() { return pick(3) == 2; }

const std::vector<MakeAction>& allActions() {
  static const std::vector<MakeAction> all = [] {
    std::vector<MakeAction> actions = calls();
    for (const auto& more : {refusals(), damages()}) actions.insert(actions.end(), more.begin(), more.end());
    return actions;
  }();
  return all;
}

// inRange() scales with the size, which is the length of the sequence.
rc::Gen<unsigned> below(unsigned count) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0U, count)); }

using CommandPointer = Sequence::value_type;

rc::Gen<CommandPointer> commands(const Model& model) {
  return rc::gen::exec([model]() -> CommandPointer {
    const std::vector<MakeAction>& all = allActions();
    const MakeAction make = all.at(*rc::gen::noShrink(below(static_cast<unsigned>(all.size()))));
    return std::make_shared<const Command>(make(model));
  });
}

}  // namespace

rc::Gen<Sequence> sequences(int longest) {
  return rc::gen::resize(longest - 1, rc::state::gen::commands(Model{}, commands));
}

unsigned pick(unsigned count) { return *below(count); }

unsigned pickNetwork() { return pick(static_cast<unsigned>(networks().size())); }

std::vector<unsigned> containersWhere(const std::function<bool(unsigned container)>& condition) {
  std::vector<unsigned> containers;
  for (unsigned number = 1; number <= kContainers; ++number) {
    if (condition(number)) containers.push_back(number);
  }
  return containers;
}

std::vector<unsigned> alive(const Model& model) {
  return containersWhere([&](unsigned container) { return model.isAlive(container); });
}

std::vector<unsigned> unattached(const Model& model) {
  return containersWhere([&](unsigned container) { return !model.attached.contains(container); });
}

Attachment pickAttachment(unsigned networkIndex, const std::vector<unsigned>& ports) {
  constexpr std::array kMtus{0U, 1400U, 1450U};
  Settings settings;
  settings.mtu = kMtus.at(pick(kMtus.size()));
  settings.ingress = static_cast<Ingress>(pick(3));
  settings.port = pickFrom(ports);
  for (bool Settings::*flag : {&Settings::gateway, &Settings::masquerade, &Settings::hairpin, &Settings::guard,
                               &Settings::forward, &Settings::sourceNat}) {
    settings.*flag = !seldom();
  }
  for (bool Settings::*flag :
       {&Settings::udp, &Settings::restricted, &Settings::promiscuous, &Settings::isolated, &Settings::internal,
        &Settings::publishedOnly, &Settings::silent, &Settings::excluded, &Settings::egress}) {
    settings.*flag = seldom();
  }
  return {.networkIndex = networkIndex, .settings = allowed(settings, networks().at(networkIndex))};
}

std::vector<unsigned> hostPorts() { return {0, 8080, 8081, 8082}; }

std::vector<unsigned> freePorts(const Model& model, unsigned container) {
  std::vector<unsigned> ports = hostPorts();
  std::erase_if(ports, [&](unsigned port) {
    const unsigned owner = model.ownerOf(port);
    return owner != container && model.isAlive(owner);
  });
  return ports;
}

std::string lineOf(const std::string& verb, unsigned container, const Attachment& attachment) {
  return verb + " " + nameOf(container) + " " + attachment.network().name + described(attachment.settings);
}

}  // namespace property
