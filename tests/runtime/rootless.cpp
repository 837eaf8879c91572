// pons as root of a user namespace, as rootless runtimes have it: made by unshare, podman or rootlesskit. The script
// rootless.bash, which tests/kernels runs as well, does what the runtime does.
#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

/// In the mount namespace of the fake host: what a user without privileges can read and execute, the device that
/// slirp4netns opens, and subordinate users (subuid(5)) of "nobody".
void prepareUser() {
  outputOf({"sh", "-ec",
            "mount -t tmpfs -o mode=0755 tmpfs /mnt; mkdir /mnt/bin; install -m 755 " + std::string{PONS_BINARY} + " " +
                PONS_SOURCE_DIR + "/tests/runtime/rootless.bash /mnt/bin; install -d -o 65534 /mnt/home /mnt/runtime"});
}

/// Succeeds where rootlesskit can make its namespaces.
bool prepareRootlesskit() {
  const std::string commands =
      "mkdir /mnt/net; mknod -m 666 /mnt/net/tun c 10 200; mount --bind /mnt/net /dev/net;"
      "echo nobody:100000:65536 >/mnt/ids; mount --bind /mnt/ids /etc/subuid; mount --bind /mnt/ids /etc/subgid";
  return run({"sh", "-ec", commands}).ok();
}

Outcome asUser(const std::vector<std::string>& command) {
  std::vector<std::string> argv{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  argv.insert(argv.end(), command.begin(), command.end());
  const std::vector<std::string> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/mnt/home",
                                             "XDG_RUNTIME_DIR=/mnt/runtime"};
  return run(argv, {.environment = environment, .input = {}, .timeout = std::chrono::minutes{3}});
}

/// `namespaces` are the programs that make them.
void runScript(std::vector<std::string> namespaces, const std::string& kind) {
  for (const std::string& word : {std::string{"/mnt/bin/rootless.bash"}, std::string{"/mnt/bin"}, kind}) {
    namespaces.push_back(word);
  }
  const Outcome outcome = asUser(namespaces);
  CHECK_MESSAGE(outcome.ok(), outcome.out << outcome.err);
  CHECK_MESSAGE(contains(outcome.out, "nothing is left"), outcome.out << outcome.err);
}

const std::vector<std::string> kUser{"unshare", "-Urm", "--fork", "--kill-child"};

}  // namespace

TEST_CASE("Rootless: a network namespace that is made in a user namespace, or together with it") {
  for (const bool together : {false, true}) {
    CAPTURE(together);
    REQUIRE_FAKE_HOST(host);
    prepareUser();
    std::vector<std::string> namespaces = kUser;
    if (together) {
      namespaces.emplace_back("--net");
    } else {
      for (const char* word : {"unshare", "-nm", "--fork", "--kill-child"}) namespaces.emplace_back(word);
    }
    if (!asUser({"unshare", "-Urnm", "true"}).ok()) return FakeHost::countSkip("users may make no user namespaces");
    const std::string before = host.dump();
    runScript(namespaces, "unshare");
    CHECK(host.dump() == before);
  }
}

TEST_CASE("Rootless: rootlesskit with slirp4netns is the container's way out") {
  REQUIRE_FAKE_HOST(host);
  prepareUser();
  const std::vector<std::string> rootlesskit{"rootlesskit", "--net=slirp4netns", "--disable-host-loopback",
                                             "--copy-up=/etc", "--copy-up=/run"};
  std::vector<std::string> nothing = rootlesskit;
  nothing.emplace_back("true");
  const Outcome tried = prepareRootlesskit() ? asUser(nothing) : Outcome{};
  if (!tried.ok()) return FakeHost::countSkip("rootlesskit cannot make its namespaces here: " + tried.err);
  const std::string outside = host.addOutside();
  const Server web{outside, Transport::Tcp, endpoint("192.0.2.2", 80), "web"};
  const std::string before = host.dump();
  runScript(rootlesskit, "slirp");
  CHECK(host.dump() == before);
}
