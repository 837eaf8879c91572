// The faults of attachments: the only walk over a plan that compares it with the kernel and the ledger.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugin/context/context.h"
#include "plugin/engine/plan.h"

namespace pons {

/// A difference, and whose it is. What could not be read is one, too: it has Remedy::None.
struct Fault {
  std::string step;         ///< empty for the container's namespace, the record and the claims
  std::string sharedState;  ///< of a state that attachments share; else empty
  Difference difference;
  std::optional<netlib::Error> error = std::nullopt;  ///< why it could not be read

  friend bool operator==(const Fault& one, const Fault& other) {
    return one.step == other.step && one.sharedState == other.sharedState && one.difference == other.difference;
  }
};

/// Of a record that cannot be parsed: its file, and the place in it.
Fault damagedRecord(Host& host, const AttachmentKey& key);
/// Of one that cannot be read, or that a newer pons wrote.
Fault unreadRecord(Host& host, const AttachmentKey& key, const netlib::Error& error);

/// Which part of an attachment is inspected.
enum class Scope : std::uint8_t {
  Shared,  ///< the shared states only
  Host,    ///< and what is this attachment's alone, outside of the container: its claims, too
  All,     ///< and inside of it
};

/// Opens the container's network namespace as `host.container`, unless it is open already. WrongNetns where the path
/// refers to another namespace than at ADD, ENOENT where there is none.
netlib::Result<> enterContainer(Host& host, const Attachment& attachment);

/// Inspects one attachment after the other, and what they share once only. Takes no lock but in repair(): what another
/// process changes meanwhile may show as a fault.
class Inspection {
 public:
  /// `host` must outlive this object.
  explicit Inspection(Host& host) : host_(host) {}

  /// The faults of a committed attachment: its claims, then the steps in the order of its plan. Where the bridge is
  /// missing, steps that need it are not inspected. One fault, with Remedy::CollectGarbage or RestartContainer, where
  /// the container no longer exists; without Scope::All or where its namespace cannot be opened by its path although
  /// the veth exists, nothing inside is inspected.
  std::vector<Fault> faultsOf(const Attachment& attachment, Scope scope = Scope::All);

  /// Restores what the fault, one of faultsOf() with Remedy::Repair, is about; all differences of its step. The caller
  /// holds the lock of the attachment's record, and not the host lock. Errors are those of Step::repair().
  netlib::Result<> repair(const Attachment& attachment, const Fault& fault);

 private:
  using Verified = netlib::Result<Differences>;

  Verified verify(const Step& step);

  Host& host_;
  std::map<std::string, Verified> shared_;  // by shared state
};

}  // namespace pons
