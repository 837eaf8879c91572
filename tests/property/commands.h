// What happens to the host, as commands of rapidcheck's test of a system with a state.
#pragma once

#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include "tests/property/test_host.h"

namespace property {

using Sequence = rc::state::Commands<rc::state::Command<Model, TestHost>>;

/// Up to that many commands. rapidcheck prints each as a line of shell.
rc::Gen<Sequence> sequences(int longest);

struct Action {
  std::string line;  ///< as it would be typed
  std::function<bool(const Model& model)> isPossible;
  std::function<void(Model& model)> change;
  std::function<void(const Model& before, TestHost& host)> execute;
};

inline bool always(const Model&) { return true; }
inline void unchanged(Model&) {}

/// Makes one with random arguments that suit the model; discards the attempt where there are none.
using MakeAction = Action (*)(const Model& model);

/// ADD, DEL, GC, STATUS and repair; one that is listed several times comes as often.
std::vector<MakeAction> calls();
/// ADDs that must fail.
std::vector<MakeAction> refusals();
/// What other programs do to the host.
std::vector<MakeAction> damages();

/// A number below `count`; shrinks to 0.
unsigned pick(unsigned count);
unsigned pickNetwork();

template <class T>
T pickFrom(const std::vector<T>& choices) {
  RC_PRE(!choices.empty());
  return choices.at(pick(static_cast<unsigned>(choices.size())));
}

inline constexpr unsigned kContainers = 6;

/// The numbers of the containers for which that is so.
std::vector<unsigned> containersWhere(const std::function<bool(unsigned container)>& condition);
std::vector<unsigned> alive(const Model& model);
std::vector<unsigned> unattached(const Model& model);

/// An attachment to that network with random settings, and with one of the host ports (0: none).
Attachment pickAttachment(unsigned networkIndex, const std::vector<unsigned>& ports);
/// The host ports that no other container publishes, or only dead ones; 0 is one of them.
std::vector<unsigned> freePorts(const Model& model, unsigned container);
/// All that there are.
std::vector<unsigned> hostPorts();

/// "ADD c1 one mtu=1400"
std::string lineOf(const std::string& verb, unsigned container, const Attachment& attachment);

}  // namespace property
