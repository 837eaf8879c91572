// The faults of attachments: what CHECK does for one, for many at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugin/context/context.h"
#include "plugin/engine/plan.h"

namespace pons {

/// A state that is missing or differs, or that could not be read.
struct Fault {
  std::string step;         ///< empty for the container's namespace
  std::string sharedState;  ///< of a state that attachments share; else empty
  std::string what;

  friend bool operator==(const Fault&, const Fault&) = default;
};

/// Opens the container's network namespace as `host.container`. EXDEV where the path refers to another namespace than
/// at ADD, ENOENT where there is none.
netlib::Result<> enterContainer(Host& host, const Attachment& attachment);

/// The same; false where the namespace cannot be opened by its path but the veth still exists: then only the host's
/// side can be verified. The errors of enterContainer() where the container is gone.
netlib::Result<bool> isVisible(Host& host, const Attachment& attachment);

/// Verifies one attachment after the other, and what they share once only.
class Inspection {
 public:
  /// `host` must outlive this object.
  explicit Inspection(Host& host) : host_(host) {}

  /// The faults of a committed attachment, in the order of its plan; none behind a broken bridge. Takes no lock: what
  /// another process changes meanwhile may show as a fault.
  std::vector<Fault> faultsOf(const Attachment& attachment);

 private:
  netlib::Result<> verify(const Step& step, bool isBridge);

  Host& host_;
  std::map<std::string, netlib::Result<>> shared_;  // by shared state
};

}  // namespace pons
