// Every error code with the real program: the answer names what is wrong, and the host stays as it was.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::config;
using pons::test::configWithIpam;

namespace fs = std::filesystem;

namespace {

std::string withStateDir(const std::string& path) { return configWithIpam(R"("stateDir": ")" + path + "\""); }

void mountTmpfs(const std::string& path, const std::string& options) {
  fs::create_directory(path);
  outputOf({"mount", "-t", "tmpfs", "-o", options, "tmpfs", path});
}

}  // namespace

TEST_CASE("Code 1: a version of CNI that pons does not speak, or that has no CHECK") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  for (const char* verb : {"ADD", "CHECK", "DEL"}) {
    checkError(call(verb, configOf("9.9.9", "")), ErrorCode::IncompatibleVersion,
               {"incompatible CNI versions", "config is \"9.9.9\"", R"(["0.1.0" "0.2.0" )"});
  }
  for (const char* version : {"", "0.1.0", "0.2.0", "0.3.0", "0.3.1"}) {
    checkError(check(configOf(version, "")), ErrorCode::IncompatibleVersion,
               {"config version does not allow CHECK", version});
  }
}

TEST_CASE("Code 2: a known but unsupported key is named with its value") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  checkError(add(configWithIpam(R"("ipMasqBackend": "iptables")")), ErrorCode::UnsupportedField,
             {R"("ipMasqBackend": "iptables")"});
  checkError(add(configWithIpam(R"("egressPolicy": {"allowedCidr": []})")), ErrorCode::UnsupportedField,
             {"egressPolicy.allowedCidr"});
}

TEST_CASE("Code 3: a namespace that does not exist at ADD, as then no DEL is needed") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  checkError(add(configWithIpam("")), ErrorCode::UnknownContainer, {"/run/netns/c1", "No such file"});
}

TEST_CASE("Code 4: variables are named where they are missing or wrong") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const std::string network = configWithIpam("");
  checkError(add(network, {.container = "", .netns = "", .ifName = ""}), ErrorCode::InvalidEnvironment,
             {"required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing"});
  checkError(check(network, {.netns = ""}), ErrorCode::InvalidEnvironment, {"[CNI_NETNS]"});
  checkError(del(network, {.container = "", .netns = ""}), ErrorCode::InvalidEnvironment, {"[CNI_CONTAINERID]"});
  checkError(add(network, {.args = "FOO=a=b"}), ErrorCode::InvalidEnvironment, {"ARGS: invalid pair \"FOO=a=b\""});
  auto environment = environmentOf("ADD");
  environment.emplace_back("PONS_STATE_DIR=run/pons");
  checkError(run({PONS_BINARY}, {.environment = environment, .input = network}), ErrorCode::InvalidEnvironment,
             {"PONS_STATE_DIR=run/pons", "absolute"});
}

TEST_CASE("Code 5: input that is too large") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  checkError(add(configWithIpam("\"x\": \"" + std::string(4 * 1024 * 1024, 'x') + "\"")), ErrorCode::Io,
             {"stdin", "4194304"});
}

TEST_CASE("Code 5: a state directory that cannot be used is named with the reason") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  std::ofstream{"/run/file"} << "x";
  checkError(add(withStateDir("/run/file")), ErrorCode::Io, {"/run/file"});
  fs::create_directory("/run/target");
  fs::create_directory_symlink("/run/target", "/run/symlink");
  checkError(add(withStateDir("/run/symlink")), ErrorCode::Io, {"/run/symlink", "symlink"});
  fs::create_directory("/run/foreign");
  REQUIRE(chown("/run/foreign", 1000, 1000) == 0);
  checkError(add(withStateDir("/run/foreign")), ErrorCode::Io, {"/run/foreign", "belongs to user 1000"});
  fs::create_directory("/run/open");
  fs::permissions("/run/open", fs::perms{0777});
  checkError(add(withStateDir("/run/open")), ErrorCode::Io, {"/run/open", "0700"});
  mountTmpfs("/run/readonly", "ro");
  checkError(add(withStateDir("/run/readonly/pons")), ErrorCode::Io, {"/run/readonly/pons", "Read-only"});
}

TEST_CASE("Code 5: a full state directory, with whatever room is left") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  // From no room for the lock to almost enough for the whole attachment.
  for (int inodes = 2; inodes < 14; ++inodes) {
    CAPTURE(inodes);
    const std::string top = "/run/full" + std::to_string(inodes);
    mountTmpfs(top, "nr_inodes=" + std::to_string(inodes));
    const Unchanged unchanged{host};
    checkError(add(withStateDir(top + "/pons")), ErrorCode::Io, {"No space left"});
    // No record and no claim; directories may be left.
    CHECK(ledgerText(top + "/pons").find("c1") == std::string::npos);
  }
}

TEST_CASE("Code 5: a resolv.conf that cannot be read") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  checkError(add(config(R"("ipam": {"subnet": "10.42.0.0/24", "resolvConf": "/run/no.conf"})")), ErrorCode::Io,
             {"ipam.resolvConf", "/run/no.conf"});
}

TEST_CASE("Code 6: stdin or prevResult that cannot be read") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  for (const char* input : {"", " ", "null", "[]", "{", "\xef\xbb\xbf{}", "// no\n{}"}) {
    for (const char* verb : {"ADD", "CHECK", "DEL"})
      checkError(call(verb, input), ErrorCode::Decode, {"network config"});
  }
  checkError(add(configWithIpam("") + "{}"), ErrorCode::Decode, {"network config"});
  checkError(add(withPrevious(configWithIpam(""), "7")), ErrorCode::Decode, {"prevResult"});
  checkError(add(withPrevious(configWithIpam(""), R"({"ips": [{"address": "here"}]})")), ErrorCode::Decode,
             {"prevResult.ips[0].address", "here"});
}

TEST_CASE("Code 7: an invalid configuration is reported with key and value") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  checkError(add("{}"), ErrorCode::InvalidConfig, {"missing network name"});
  checkError(add(R"({"name": "../demo"})"), ErrorCode::InvalidConfig, {"network name", "../demo"});
  checkError(add(config(R"("ipam": {"subnet": "10.42.0.0"})")), ErrorCode::InvalidConfig, {"ipam.subnet", "10.42.0.0"});
  checkError(add(config(R"("ipam": {"subnet": "10.42.0.0/24", "gateway": "10.43.0.1"})")), ErrorCode::InvalidConfig,
             {"10.43.0.1"});
  checkError(add(configWithIpam(R"("bridge": "a name that is too long")")), ErrorCode::InvalidConfig, {"bridge"});
  checkError(add(config(R"("isDefaultGateway": true)")), ErrorCode::InvalidConfig, {"isDefaultGateway", "\"ipam\""});
}

TEST_CASE("Code 8: the host's own namespace, an ordinary file, a namespace of another kind") {
  REQUIRE_FAKE_HOST(host);
  std::ofstream{"/run/netns/file"} << "x";
  const Unchanged unchanged{host};
  for (const char* path : {"/proc/self/ns/net", "/run/netns/file", "/proc/self/ns/uts"}) {
    checkError(add(configWithIpam(""), {.netns = path}), ErrorCode::InvalidNetns, {path});
  }
}

TEST_CASE("Code 11: the error of a full pool has its size and use") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const std::string network = config(R"("ipam": {"subnet": "10.42.0.0/30"})");
  CHECK(addressIn(resultOf(add(network))) == "10.42.0.2");
  {
    const Unchanged unchanged{host};
    checkError(add(network, {.container = "c2", .netns = "/run/netns/c2"}), ErrorCode::TryAgain,
               {"demo", "1 of 1", "10.42.0.0/30"});
  }
  checkSilent(del(network));
  CHECK(addressIn(resultOf(add(network, {.container = "c2", .netns = "/run/netns/c2"}))) == "10.42.0.2");
}

TEST_CASE("A lock held by another process is waited for with a timeout, and the error names the holder") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  fs::create_directory("/run/pons");
  fs::permissions("/run/pons", fs::perms{0700});
  const netlib::UniqueFd lock{open("/run/pons/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  REQUIRE(flock(lock.get(), LOCK_EX) == 0);
  const Unchanged unchanged{host};
  checkError(add(configWithIpam(R"("lockTimeout": 1)")), ErrorCode::TryAgain,
             {"/run/pons/lock", "PID " + std::to_string(getpid()), "1000 ms"});
}

TEST_CASE("Code 100: a second ADD is refused, and the first attachment is not changed") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Outcome first = add(configWithIpam(""));
  resultOf(first);
  {
    const Unchanged unchanged{host};
    checkError(add(configWithIpam("")), ErrorCode::AlreadyAttached, {"c1", "demo", "eth0", "call DEL first"});
  }
  checkSilent(check(withPrevious(configWithIpam(""), first.out)));
}
