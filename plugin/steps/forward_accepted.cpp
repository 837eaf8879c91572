#include "plugin/steps/forward_accepted.h"

namespace pons {

namespace {

/// In the ledger once the host's chains were looked at and answered.
constexpr const char* kAnswered = "answered";

}  // namespace

std::string ForwardAccepted::name() const { return "forwarding for bridge " + attachment_.bridge.name.toString(); }

std::string ForwardAccepted::hold() const { return hold::forward(attachment_); }

// Listing the chains of others may take long, so the bridge's first container does it and the later ones rely on it;
// CHECK, STATUS and repair look again.
netlib::Result<> ForwardAccepted::apply(Host& host) const {
  const bool answered = TRY(host.ledger.hasRemembered(hold()));
  return answered ? netlib::Result<>{} : repair(host);
}

netlib::Result<> ForwardAccepted::undo(Host& host) const {
  TRY(forward::remove(host, answer()));
  return host.ledger.forget(hold());
}

netlib::Result<> ForwardAccepted::verify(Host& host) const {
  for (const forward::Place& place : TRY(forward::look(host, answer()))) {
    if (place.present >= place.wanted) continue;
    return broken(name() + ": " + place.name + " drops what containers send");
  }
  return {};
}

netlib::Result<> ForwardAccepted::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  TRY(forward::mend(host, answer()));
  return host.ledger.remember(hold(), {{kAnswered, attachment_.bridge.name.toString()}});
}

}  // namespace pons
