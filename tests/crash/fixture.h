// A host with all kinds of state (two address families, masquerade, published ports, optionally an active neighbour on
// the same network), and the built binary working on it.
#pragma once

#include <optional>
#include <string>

#include "plugin/cni/error.h"

#include "tests/support/plan_cases.h"
#include "tests/support/tracer.h"

namespace support {

enum class Neighbour : std::uint8_t { None, Living };

class CrashFixture {
 public:
  CrashFixture(FakeHost& host, Neighbour neighbour);
  ~CrashFixture();
  CrashFixture(const CrashFixture&) = delete;
  CrashFixture& operator=(const CrashFixture&) = delete;

  /// ADD, DEL or GC of container c1. The valid attachments of GC are the neighbour only.
  TracedOutcome callTraced(const std::string& verb, const FaultInjection& fault) const;
  Outcome call(const std::string& verb) const;
  /// call() that has to succeed.
  void must(const std::string& verb) const;
  /// call() that has to fail with that code.
  void mustFail(const std::string& verb, pons::cni::ErrorCode code) const;

  bool hasNeighbour() const { return neighbour_.has_value(); }

  /// Whether c1's record is committed.
  bool isCommitted() const;

  /// The host is as before c1's ADD, and the neighbour passes CHECK.
  void checkUntouched() const;
  /// CHECK with the result of this ADD succeeds.
  void checkWorking(const std::string& result) const;

 private:
  std::string input(const std::string& verb) const;
  std::string dump() const;
  /// A cheap dump: may differ for states whose dump() is equal, never the reverse.
  std::string quickDump() const;

  FakeHost& host_;
  std::optional<std::string> neighbour_;  ///< the result of its ADD
  std::string empty_;                     ///< the dump before any ADD
  std::string before_;                    ///< the dump before c1's ADD
  mutable std::string quickDump_;         ///< the quickDump() of a state whose dump was equal to before_
};

/// True with PONS_TEST_LONG=1: all combinations, else each call and each error once.
bool wantsAll();

}  // namespace support

/// Begins a test case; it is counted as skipped if ptrace(2) or a fake host is not available.
#define REQUIRE_CRASH_FIXTURE(name, neighbour) \
  if (!support::canTrace()) {                  \
    support::FakeHost::countSkip();            \
    return;                                    \
  }                                            \
  REQUIRE_FAKE_HOST(name##Host);               \
  const support::CrashFixture name { name##Host, neighbour }
