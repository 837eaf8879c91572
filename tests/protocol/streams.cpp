// Standard streams that are closed or full: no crash, and nothing that DEL does not remove.
#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::configWithIpam;

namespace {

constexpr int kBrokenPipe = 9;  // a digit, as the shell has it

/// The write end of a pipe without a reader, as a descriptor number that the shell can use.
class BrokenPipe {
 public:
  BrokenPipe() {
    int ends[2] = {};
    REQUIRE(pipe(ends) == 0);
    REQUIRE(dup2(ends[1], kBrokenPipe) == kBrokenPipe);
    close(ends[0]);
    close(ends[1]);
  }
  ~BrokenPipe() { close(kBrokenPipe); }
  BrokenPipe(const BrokenPipe&) = delete;
  BrokenPipe& operator=(const BrokenPipe&) = delete;
};

/// The program with its streams redirected as the shell has it.
Outcome callRedirected(const std::string& verb, const std::string& redirection, const std::string& config) {
  return run({"/bin/sh", "-c", "exec \"$0\" " + redirection, PONS_BINARY},
             {.environment = environmentOf(verb), .input = config});
}

const std::string kTalkative = configWithIpam(R"("logLevel": "trace")");

}  // namespace

TEST_CASE("A result that cannot be written fails the ADD, and DEL takes the attachment away") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const BrokenPipe pipe;
  for (const std::string redirection :
       {">&-", ">&9", ">/dev/full", ">&- 2>&-", ">&9 2>&9", "</dev/stdin >/dev/full 2>&9"}) {
    CAPTURE(redirection);
    const Unchanged unchanged{host};
    const Outcome outcome = callRedirected("ADD", redirection, kTalkative);
    CHECK(outcome.signal == 0);
    CHECK(outcome.exitCode == 1);
    CHECK(outcome.out.empty());
    checkSilent(del(kTalkative));
  }
}

TEST_CASE("Without a stderr every verb works as usual, and its lines end up in no other file") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const BrokenPipe pipe;
  for (const std::string redirection : {"2>&-", "2>&9", "2>/dev/full"}) {
    CAPTURE(redirection);
    const Unchanged unchanged{host};
    const Outcome attached = callRedirected("ADD", redirection, kTalkative);
    resultOf(attached);
    CHECK(ledgerText().find("done") == std::string::npos);
    checkSilent(callRedirected("CHECK", redirection, withPrevious(kTalkative, attached.out)));
    checkSilent(callRedirected("DEL", redirection, kTalkative));
  }
}

TEST_CASE("DEL and CHECK have nothing to say and need no stdout") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const BrokenPipe pipe;
  for (const std::string redirection : {">&-", ">&9", ">/dev/full", ">&- 2>&-"}) {
    CAPTURE(redirection);
    const Unchanged unchanged{host};
    const Outcome attached = add(kTalkative);
    resultOf(attached);
    checkSilent(callRedirected("CHECK", redirection, withPrevious(kTalkative, attached.out)));
    checkSilent(callRedirected("DEL", redirection, kTalkative));
  }
}

TEST_CASE("Without a stdin the verbs that read it fail, and VERSION answers") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  for (const char* verb : {"ADD", "CHECK", "DEL"}) {
    checkError(callRedirected(verb, "<&-", ""), ErrorCode::Io, {"read stdin"});
    checkError(callRedirected(verb, "</", ""), ErrorCode::Io, {"read stdin"});
    checkError(callRedirected(verb, "</dev/null", ""), ErrorCode::Decode, {"network config"});
  }
  CHECK(callRedirected("VERSION", "<&-", "").ok());
  CHECK(callRedirected("VERSION", "<&- 2>&-", "").out.find("supportedVersions") != std::string::npos);
  CHECK(callRedirected("VERSION", "<&- >&- 2>&-", "").exitCode == 1);
}
