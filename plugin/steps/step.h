// A state that the host or the container is to have. ADD applies the steps of a plan forwards, DEL undoes them
// backwards, CHECK verifies them.
//
// A step reads the Attachment and the Host and nothing else, so apply() leaves nothing in memory that undo() needs.
// Host's sockets and ledger are always open; `host.container` is open in apply(), and in verify() and repair() of a
// step with isInside(). Steps behind the bridge's read `host.bridge`, which that step's apply() and verify() set; so do
// those of a VLAN with `host.vlanLink`.
#pragma once

#include <memory>
#include <string>

#include "plugin/context/context.h"
#include "plugin/model/attachment.h"
#include "plugin/model/difference.h"

namespace pons {

class Step {
 public:
  virtual ~Step() = default;

  /// What it provides, for messages and logs: "bridge pons0".
  virtual std::string name() const = 0;

  /// The ledger's name of a state that several attachments share, with this one's value ("ingress-pons0/isolated"; see
  /// shared_state); empty for a state of this attachment alone. The state in the kernel is a function of all values
  /// that are referenced, whatever their order: apply(), undo(), leave() and repair() all set that one.
  virtual std::string sharedState() const { return {}; }

  /// True where a failed ADD undoes it whether it was applied or not: it is reserved together with the record, or is
  /// made from the record by a rebuild as well.
  virtual bool comesWithClaim() const { return !sharedState().empty(); }

  /// Provides the state; takes the host lock itself where it needs it. Idempotent for a shared state. InUse where a
  /// foreign object is in the way of a state of this attachment alone: then nothing was changed. After any other error
  /// part of the state may be there, and undo() removes it; of a shared state, with the reference.
  virtual netlib::Result<> apply(Host& host) const = 0;

  /// Removes the state; what is gone already is no error. Of a shared state: for the last reference, with the host lock
  /// held by the caller; otherwise without it.
  virtual netlib::Result<> undo(Host& host) const = 0;

  /// Removes this attachment's part of a shared state that has other references. The caller holds the host lock.
  virtual netlib::Result<> leave(Host&) const { return {}; }

  /// True where verify() and repair() need the container's network namespace.
  virtual bool isInside() const { return false; }

  /// Of a step that provides a link for others: `host.bridge` or `host.vlanLink`, which its verify() sets, to an index
  /// of 0 where there is none.
  virtual const netlib::link::Link* provided(const Host&) const { return nullptr; }
  /// True where verify() and repair() need those.
  virtual bool needsBridge() const { return false; }

  /// Compares the content of the state with the kernel's, changing nothing. An error: it could not be read.
  virtual netlib::Result<Differences> verify(Host& host) const = 0;

  /// Restores the state after verify() has found a difference with Remedy::Repair, without disturbing the running
  /// container. Takes the host lock itself where it needs it.
  virtual netlib::Result<> repair(Host& host) const { return apply(host); }
};

/// A step of one attachment, which must outlive it.
class AttachmentStep : public Step {
 public:
  explicit AttachmentStep(const Attachment& attachment) : attachment_(attachment) {}

 protected:
  const Attachment& attachment_;
};

using StepPointer = std::unique_ptr<const Step>;

}  // namespace pons
