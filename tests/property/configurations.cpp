// Configurations by the grammar of the key table: what is accepted can be planned, recorded and read again.
//   RC_PARAMS="seed=…"      repeats a run, whose seed is printed where it fails; see rapidcheck's doc/configuration.md
#include <iostream>
#include <sstream>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "plugin/cni/decode/request.h"

#include "tests/fuzz/grammar.h"
#include "tests/fuzz/targets.h"
#include "tests/support/cni_input.h"

using namespace pons;

namespace {

/// One choice a byte, and the last of each where there are no more: then no further key is added.
class Choices {
 public:
  explicit Choices(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  std::size_t operator()(std::size_t bound) { return next_ < bytes_.size() ? bytes_[next_++] % bound : bound - 1; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t next_ = 0;
};

struct Seen {
  int accepted = 0;
  int refused = 0;
};

void checkOne(cni::Applet applet, Seen& seen) {
  constexpr int kChoices = 400;
  Choices choices{*rc::gen::container<std::vector<std::uint8_t>>(kChoices, rc::gen::arbitrary<std::uint8_t>())};
  const fuzz::Choose choose = std::ref(choices);
  std::string document = fuzz::configuration(applet, choose);
  for (int mutation = 0; mutation < 2; ++mutation) {
    RC_LOG() << document << std::endl;
    fuzz::network(document);
    cni::Environment environment = test::kEnvironment;
    environment.applet = applet;
    const auto request = test::add(document, environment);
    (request ? seen.accepted : seen.refused) += 1;
    if (!request) RC_ASSERT(!request.error().message.empty());
    document = fuzz::mutated(applet, document, choose);
  }
}

}  // namespace

TEST_CASE("Any configuration of the key table's grammar that is accepted can be planned, recorded and read again") {
  for (const cni::Applet applet : {cni::Applet::Pons, cni::Applet::Bridge}) {
    Seen seen;
    rc::detail::TestParams parameters = rc::detail::configuration().testParams;
    parameters.maxSuccess = 1000;
    const auto result =
        rc::detail::checkTestable([&] { checkOne(applet, seen); }, rc::detail::TestMetadata{}, parameters);
    std::ostringstream text;
    rc::detail::printResultMessage(result, text);
    CHECK_MESSAGE(result.is<rc::detail::SuccessResult>(), text.str());
    // Else the grammar does not get past the decoder, or finds nothing that is refused.
    CHECK(seen.accepted > 50);
    CHECK(seen.refused > 100);
  }
}
