// Whether the states of attachments are there: CHECK's work for many attachments at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugin/context/context.h"
#include "plugin/engine/plan.h"

namespace pons {

/// A state that is not there, or that could not be looked at.
struct Fault {
  std::string step;  ///< empty for the container's namespace
  std::string hold;  ///< of a state that attachments share; else empty
  std::string what;

  friend bool operator==(const Fault&, const Fault&) = default;
};

/// Opens the container's side where it is still the one of the ADD. EXDEV where the path names another namespace by
/// now, ENOENT where it names none.
netlib::Result<> enterContainer(Host& host, const Attachment& attachment);

/// Enters the container; false where it lives, as its link tells, but its namespace has another path here: then only
/// the host's side can be looked at. The errors of enterContainer() where it is dead.
netlib::Result<bool> isVisible(Host& host, const Attachment& attachment);

/// Looks at one attachment after the other, and at what they share once only.
class Inspection {
 public:
  /// It must live longer.
  explicit Inspection(Host& host) : host_(host) {}

  /// The faults of a committed attachment, in the order of its plan. What stands on a broken bridge is not looked at.
  std::vector<Fault> faultsOf(const Attachment& attachment);

 private:
  netlib::Result<> verify(const Step& step, bool isBridge);

  Host& host_;
  std::map<std::string, netlib::Result<>> shared_;  // by hold
};

}  // namespace pons
