// DEL and GC need nothing of a configuration but the network's name: what is wrong with the rest is a warning.
#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

struct Mistake {
  std::string member;   ///< appended, so that it comes last and counts
  std::string warning;  ///< a word of the log
};

std::vector<Mistake> mistakes() {
  return {{R"("logLevel": "loud")", "logLevel"},
          {R"("logFile": "pons.log")", "logFile"},
          {R"("lockTimeout": 0)", "lockTimeout"},
          {R"("stateDir": "run/pons")", "stateDir"},
          {R"("ipam": {"type": "host-local", "dataDir": "networks"})", "dataDir"},
          {R"("ipam": "x")", "ipam"},
          {R"("vlan": 4095)", "vlan"},
          {R"("portMappings": "x")", "portMappings"},
          {R"("bridge": 7)", "bridge"}};
}

}  // namespace

TEST_CASE("A mistake in the configuration is a warning of DEL and of GC, which do their work") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string good = configOf("1.1.0", R"("ipam": {"subnet": "10.42.0.0/24"}, "bridge": "pons0",
      "portMappings": [{"hostPort": 8080, "containerPort": 80}])");
  for (const std::string verb : {"DEL", "GC"}) {
    for (const Mistake& mistake : mistakes()) {
      CAPTURE(verb);
      CAPTURE(mistake.member);
      FakeHost host;
      host.addNamespace("c1");
      const Unchanged unchanged{host};
      resultOf(add(good));
      std::string bad = good.substr(0, good.rfind('}')) + ", " + mistake.member;
      bad += verb == "GC" ? R"(, "cni.dev/valid-attachments": []})" : "}";
      const bool failsAdd = !mistake.warning.starts_with("log");
      if (verb == "GC") CHECK(contains(add(bad).out, mistake.warning) == failsAdd);
      const Outcome done = verb == "DEL" ? del(bad) : callForNetwork("GC", bad);
      checkSilent(done);
      // DEL does not even look at what is about the network alone.
      const bool unread = verb == "DEL" && (mistake.warning == "vlan" || mistake.warning == "portMappings");
      CHECK(contains(done.err, "warning") != unread);
      CHECK(contains(done.err, mistake.warning) != unread);
    }
  }
}

TEST_CASE("What ADD took just under its limit, CHECK and DEL take with the result in it") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const std::string config = configOf("1.1.0", R"("ipam": {"subnet": "10.42.0.0/24"})");
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  const std::string member = R"(, "x": "")";
  const std::string longest = config.substr(0, config.rfind('}')) + R"(, "x": ")" +
                              std::string(kLimit - config.size() - member.size(), 'x') + "\"}";
  REQUIRE(longest.size() == kLimit);
  const Outcome added = add(longest);
  resultOf(added);
  checkSilent(check(withPrevious(longest, added.out)));
  checkSilent(del(withPrevious(longest, added.out)));
  checkError(add(longest + " "), ErrorCode::Io);
}
