// An ADD that was killed, and what undoes it.
#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/protocol/network.h"
#include "tests/support/runtime.h"

using namespace support;

namespace {

const std::string kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

// An ADD that ends without a word before the step of that index.
void addAndDie(const pons::cni::Request& request, std::size_t step) {
  const auto died = runForked([&] {
    const auto dieHere = [step](std::size_t position, pons::Host&) -> netlib::Result<> {
      if (position == step) _exit(99);
      return {};
    };
    return addWith(request, dieHere).ok() ? 0 : 1;
  });
  REQUIRE(died.exitCode == 99);
}

}  // namespace

TEST_CASE("What a killed ADD left is undone by the next ADD, by DEL and by GC with or without a list") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Runtime runtime{demoConfig(kDual + ", " + publishing({{8081, 80}}))};
  const std::string config = demoConfig(kDual);
  const auto request = runtime.request(pons::cni::Verb::Add, "c1");
  const std::size_t count = stepCount(request);
  const std::string before = host.dump() + ledgerText();
  const std::vector<std::function<void()>> ways{
      [&] {
        resultOf(add(config));
        checkSilent(del(config));
      },
      [&] { checkSilent(del(config)); },
      [&] { checkSilent(callForNetwork("GC", config)); },
      [&] { checkSilent(callForNetwork("GC", withValid(config, {"c1"}))); },
  };
  for (std::size_t step = 0; step <= count; ++step) {
    for (const auto& way : ways) {
      CAPTURE(step);
      addAndDie(request, step);
      way();
      CHECK(host.dump() + ledgerText() == before);
    }
  }
}
