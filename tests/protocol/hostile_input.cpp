// Malformed and hostile input: never a crash, always one JSON document, and an unchanged host.
#include <cctype>
#include <random>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::config;
using pons::test::configWithIpam;

namespace {

/// No paths among the keys: a mutation must not lead the program to a file of the machine.
const std::string kRich = config(
    R"("bridge": "pons0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "mtu": 1400, "portIsolation": false,
       "ipMasqExclude": ["192.0.2.0/24", "2001:db8::/32"], "dns": {"nameservers": ["192.0.2.53"], "search": ["a.b"]},
       "ipam": {"type": "pons", "ranges": [[{"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.10", "gateway": "10.42.0.1"}],
                [{"subnet": "fd00::/64"}]], "exclude": ["10.42.0.64/26"], "routes": [{"dst": "0.0.0.0/0", "mtu": 1300}]},
       "args": {"cni": {"ips": ["10.42.0.20"]}}, "runtimeConfig": {"mac": "c2:11:22:33:44:55",
       "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "udp", "hostIP": "::"}]})");

/// Changes at random places: bytes replaced, parts dropped, doubled or replaced by other JSON tokens.
class Mutator {
 public:
  std::string mutate(std::string text) {
    for (std::size_t changes = 1 + below(2); changes > 0 && !text.empty(); --changes) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_); }

  void change(std::string& text) {
    static const std::vector<std::string> tokens = {"null",     "true",
                                                    "-1",       "4294967296",
                                                    "1e999",    "\"\"",
                                                    "[]",       "{}",
                                                    "[",        "}",
                                                    "\\",       "\"",
                                                    "\\u0000",  "\\ud800",
                                                    ",",        "0.5",
                                                    "\"::1\"",  "\"0.0.0.0/0\"",
                                                    ":",        "\xff",
                                                    "65536",    "\"10.42.0.1\"",
                                                    "\"auto\"", "999999999999999999999"};
    const std::size_t at = below(text.size());
    const std::size_t length = std::min(1 + below(12), text.size() - at);
    switch (below(4)) {
      case 0:
        text[at] =
            static_cast<char>(std::isdigit(static_cast<unsigned char>(text[at])) != 0 ? '0' + below(10) : below(256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      default:
        text.replace(at, length, tokens[below(tokens.size())]);
    }
  }

  std::mt19937 random_{20};  // always the same, so that a failure can be looked at
};

/// Success with exactly what the verb has to say, or one error.
void checkAnswer(const std::string& verb, const Outcome& outcome) {
  CHECK(outcome.signal == 0);
  CHECK(!outcome.timedOut);
  if (outcome.exitCode != 0) {
    CHECK(outcome.exitCode == 1);
    CHECK(documentOf(outcome)["code"].integer().value_or(0) > 0);
  } else if (verb == "ADD") {
    resultOf(outcome);
  } else {
    checkSilent(outcome);
  }
}

std::string nested(const std::string& open, const std::string& close, int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += "1";
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

}  // namespace

TEST_CASE("200 mutations of a configuration: one answer each, and DEL removes what ADD created") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  checkAnswer("ADD", add(kRich));
  checkSilent(del(kRich));
  Mutator mutator;
  int attached = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string mutation = mutator.mutate(kRich);
    CAPTURE(mutation);
    const Outcome added = add(mutation);
    checkAnswer("ADD", added);
    const Outcome removed = del(mutation);
    checkAnswer("DEL", removed);
    if (!added.ok()) continue;
    checkSilent(removed);
    ++attached;
  }
  // Else the mutations would only prove the parser.
  CHECK(attached > 5);
}

TEST_CASE("Documents that are too deep, too long or no UTF-8 are refused") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  for (const char* verb : {"ADD", "CHECK", "DEL"}) {
    const auto refused = [verb](const std::string& input, ErrorCode code) { checkError(call(verb, input), code); };
    for (const int depth : {65, 1'000, 500'000}) {
      refused(config("\"x\": " + nested("[", "]", depth)), ErrorCode::Decode);
      refused(config("\"x\": " + nested("{\"x\":", "}", depth)), ErrorCode::Decode);
    }
    refused(std::string(4'000'000, '['), ErrorCode::Decode);
    // CHECK and DEL come with the result of an ADD whose configuration may have been as long as it can be.
    const bool withResult = verb != std::string_view{"ADD"};
    refused(std::string(withResult ? 17'000'000 : 5'000'000, '{'), ErrorCode::Io);
    refused(config("\"x\": \"\xff\xfe\""), ErrorCode::Decode);
    refused(config("\"x\": \"\xed\xa0\x80\""), ErrorCode::Decode);
    refused(configWithIpam("") + std::string(1, '\0'), ErrorCode::Decode);
    refused(std::string(3, '\0'), ErrorCode::Decode);
    refused(R"({"cniVersion": "1.1.0", "name": "de\u0000mo", "type": "pons"})", ErrorCode::InvalidConfig);
    refused(R"({"cniVersion": "1.1.0\u0000", "name": "demo", "type": "pons"})", ErrorCode::IncompatibleVersion);
  }
  checkError(add(configWithIpam(R"("bridge": "pons0\u0000x")")), ErrorCode::InvalidConfig, {"bridge"});
}

TEST_CASE("A text of almost four MiB is taken, and an error that quotes it stays short") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const std::string longText(4 * 1024 * 1024 - 1024, 'x');
  resultOf(add(configWithIpam("\"unknown\": \"" + longText + "\"")));
  checkSilent(del(configWithIpam("\"unknown\": \"" + longText + "\"")));
  const Outcome refused = add(configWithIpam("\"bridge\": \"" + longText + "\""));
  checkError(refused, ErrorCode::InvalidConfig, {"bridge"});
  CHECK(refused.out.size() < 2000);
}

TEST_CASE("Container ids and interface names that would not be one are refused by every verb") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  for (const char* verb : {"ADD", "CHECK", "DEL"}) {
    for (const std::string& id :
         {std::string{"../c1"}, std::string{"c1\n"}, std::string{"c/1"}, std::string{".c1"}, std::string{"-c1"},
          std::string{"c 1"}, std::string{"c\xff"}, std::string(300, 'c')}) {
      CAPTURE(id);
      checkError(call(verb, configWithIpam(""), {.container = id}), ErrorCode::InvalidEnvironment, {"CNI_CONTAINERID"});
    }
    for (const char* name : {".", "..", "a/b", "eth0:1", "eth 0", "eth0\n", "sixteen-bytes-xx", "\t", "eth%d", "%"}) {
      CAPTURE(name);
      checkError(call(verb, configWithIpam(""), {.ifName = name}), ErrorCode::InvalidEnvironment, {"CNI_IFNAME"});
    }
  }
}

TEST_CASE("A name that the kernel would take for a pattern is refused for a bridge, too, and no link is made") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  for (const std::string name : {"br%d", "%d", "br%", "a%b%d"}) {
    CAPTURE(name);
    checkError(add(configWithIpam("\"bridge\": \"" + name + "\"")), ErrorCode::InvalidConfig, {"bridge", name, "'%'"});
    checkError(add(configWithIpam(""), {.ifName = name}), ErrorCode::InvalidEnvironment, {"CNI_IFNAME", name, "'%'"});
  }
}

TEST_CASE("Unusual interface names and the longest container id work") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  for (const Subject& subject : {Subject{.ifName = "fifteen-bytes-x"}, Subject{.ifName = "net1@x"},
                                 Subject{.ifName = "\xc3\xa9th0"}, Subject{.container = std::string(200, 'c')}}) {
    CAPTURE(subject.ifName);
    const Unchanged unchanged{host};
    const Outcome attached = add(configWithIpam(""), subject);
    resultOf(attached);
    checkSilent(check(withPrevious(configWithIpam(""), attached.out), subject));
    checkSilent(del(configWithIpam(""), subject));
  }
}
