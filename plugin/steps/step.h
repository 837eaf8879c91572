// A state that the host or the container is to be in. ADD applies the steps of a plan forwards, DEL undoes them
// backwards, CHECK verifies them. A step knows the Attachment and the Host, and neither JSON nor the protocol.
#pragma once

#include <string>

#include "plugin/context/context.h"
#include "plugin/model/attachment.h"

namespace pons {

/// The tag by which verify() says that the state is not there (any other code means that it could not be looked at).
inline constexpr int kBroken = ENOTUNIQ;
inline netlib::Failure<netlib::Error> broken(std::string what) { return netlib::fail(kBroken, std::move(what)); }

class Step {
 public:
  virtual ~Step() = default;

  virtual std::string name() const = 0;

  /// The ledger's name for a state that several attachments share, taken away with the last of them; empty for a state
  /// of this attachment alone.
  virtual std::string hold() const { return {}; }

  /// True where the state comes with the claim already, so that a failed ADD undoes it however far it came.
  virtual bool comesWithClaim() const { return !hold().empty(); }

  /// Brings the state about. Applied twice it changes nothing more, except for what an attachment alone owns: there the
  /// second time is an error. On error nothing is changed.
  virtual netlib::Result<> apply(Host& host) const = 0;

  /// Takes the state away; what is gone already is fine. Needs nothing that apply() left in memory. A shared state is
  /// undone under the host lock, by the last who held it.
  virtual netlib::Result<> undo(Host& host) const = 0;

  /// Gives up this attachment's part of a shared state that others go on to hold. Under the host lock.
  virtual netlib::Result<> leave(Host&) const { return {}; }

  /// True where verify() and repair() need the container's namespace.
  virtual bool isInside() const { return false; }

  /// Looks whether the state is there, changing nothing; see kBroken.
  virtual netlib::Result<> verify(Host& host) const = 0;

  /// Brings the state back after verify() found it broken, while the container goes on.
  virtual netlib::Result<> repair(Host& host) const { return apply(host); }
};

}  // namespace pons
