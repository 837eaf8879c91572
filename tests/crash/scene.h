// A host with everything that can be lost (two address families, masquerade, published ports, and where wanted a living
// neighbour on the same network), and the built program working on it.
#pragma once

#include <optional>
#include <string>

#include "plugin/cni/error.h"

#include "tests/support/plan_cases.h"
#include "tests/support/tracer.h"

namespace support {

enum class Neighbour : std::uint8_t { None, Living };

class Scene {
 public:
  Scene(FakeHost& host, Neighbour neighbour);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  /// ADD, DEL or GC of container c1. GC is told that nobody but the neighbour is alive.
  TracedOutcome meddled(const std::string& verb, const Interference& interference) const;
  Outcome call(const std::string& verb) const;
  /// call() that has to succeed.
  void must(const std::string& verb) const;
  /// call() that has to answer with that error.
  void mustFail(const std::string& verb, pons::cni::ErrorCode code) const;

  /// Whether c1's record says that its ADD came to its end.
  bool isCommitted() const;

  /// Says what is another than before c1 came, and looks after the neighbour.
  void checkUntouched() const;
  /// The attachment that this ADD told of works.
  void checkWorking(const std::string& result) const;

 private:
  std::string input(const std::string& verb) const;
  std::string dump() const;
  /// A cheap dump that tells more states apart than there are; it does for most that are equal.
  std::string glance() const;

  FakeHost& host_;
  std::optional<std::string> neighbour_;  ///< the result of its ADD
  std::string empty_;                     ///< the dump before anybody came
  std::string before_;                    ///< the dump before c1 came
  mutable std::string glance_;            ///< the glance() of a state whose dump was equal to before_
};

/// Whether all combinations are wanted, which takes long (PONS_TEST_LONG=1), or each call and each error once.
bool wantsAll();

}  // namespace support

/// Begins a test case here; it is skipped, loudly, where nothing can be traced or there can be no fake host.
#define REQUIRE_SCENE(name, neighbour) \
  if (!support::canTrace()) {          \
    support::FakeHost::countSkip();    \
    return;                            \
  }                                    \
  REQUIRE_FAKE_HOST(name##Host);       \
  const support::Scene name { name##Host, neighbour }
