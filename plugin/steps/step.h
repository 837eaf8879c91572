// A state that the host or the container is to have. ADD applies the steps of a plan forwards, DEL undoes them
// backwards, CHECK verifies them.
//
// A step reads the Attachment and the Host and nothing else, so apply() leaves nothing in memory that undo() needs.
// Host's sockets and ledger are always open; `host.container` is open in apply(), and in verify() and repair() of a
// step with isInside(). Steps behind the bridge's read `host.bridge`, which that step's apply() and verify() set.
#pragma once

#include <memory>
#include <string>

#include "plugin/context/context.h"
#include "plugin/model/attachment.h"

namespace pons {

/// The errno by which verify() says that the state is missing or differs; any other one means that it could not be
/// read.
inline constexpr int kBroken = ENOTUNIQ;
inline netlib::Failure<netlib::Error> broken(std::string what) { return netlib::fail(kBroken, std::move(what)); }

class Step {
 public:
  virtual ~Step() = default;

  /// What it provides, for messages and logs: "bridge pons0".
  virtual std::string name() const = 0;

  /// The ledger's name of a state that several attachments share (see shared_state), which the last reference removes;
  /// empty for a state of this attachment alone.
  virtual std::string sharedState() const { return {}; }

  /// True where the state is reserved together with the record, so that a failed ADD undoes it whether it was applied
  /// or not.
  virtual bool comesWithClaim() const { return !sharedState().empty(); }

  /// Provides the state; takes the host lock itself where it needs it. Idempotent for a shared state; EEXIST where a
  /// state of this attachment alone is there already. An error leaves a state of this attachment as it was; what a
  /// shared state has got so far is undone with the reference.
  virtual netlib::Result<> apply(Host& host) const = 0;

  /// Removes the state; what is gone already is no error. Of a shared state: for the last reference, with the host lock
  /// held by the caller; otherwise without it.
  virtual netlib::Result<> undo(Host& host) const = 0;

  /// Removes this attachment's part of a shared state that has other references. The caller holds the host lock.
  virtual netlib::Result<> leave(Host&) const { return {}; }

  /// True where verify() and repair() need the container's network namespace.
  virtual bool isInside() const { return false; }

  /// Compares the state with the kernel's, changing nothing; kBroken where it is missing or differs.
  virtual netlib::Result<> verify(Host& host) const = 0;

  /// Restores the state after verify() has failed with kBroken, without disturbing the running container. Takes the
  /// host lock itself where it needs it.
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
