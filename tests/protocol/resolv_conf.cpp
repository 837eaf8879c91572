// The capability "rootfs": the container finds its DNS servers in its own /etc/resolv.conf.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"
#include "tests/support/root_fs.h"
#include "tests/support/runtime.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::config;
namespace fs = std::filesystem;

namespace {

const std::string kDns =
    R"("dns": {"nameservers": ["10.42.0.1", "fd42::53"], "domain": "demo.test", "search": ["a.test", "b.test"],)"
    R"( "options": ["ndots:2"]})";
const std::string kFile =
    "# made by pons\nnameserver 10.42.0.1\nnameserver fd42::53\ndomain demo.test\nsearch a.test b.test\n"
    "options ndots:2\n";
const std::string kIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";

std::string rootfs(const std::string& path) { return R"("runtimeConfig": {"rootfs": ")" + path + R"("})"; }

std::string demo(const std::string& root = "/run/root", const std::string& more = {}) {
  return config(kIpam + ", " + kDns + ", " + rootfs(root) + (more.empty() ? "" : ", " + more));
}

/// One that is not there any more was unmounted.
std::string mounts() { return outputOf({"sed", "s/^[0-9]* [0-9]* //", "/proc/self/mountinfo"}); }

}  // namespace

TEST_CASE("a root that can be written: ADD writes, CHECK looks, DEL restores what was there") {
  for (const std::string before : {"nameserver 192.0.2.53\n", ""}) {
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const Unchanged unchanged{host};
    const RootFs image;
    if (!before.empty()) image.with(before);
    const std::string was = image.dump();
    for (int round = 0; round < 2; ++round) {
      const Outcome added = add(demo());
      resultOf(added);
      CHECK(image.resolvConf() == kFile);
      checkSilent(check(withPrevious(demo(), added.out)));
      std::ofstream{image / "etc/resolv.conf"} << "mine\n";
      checkError(check(withPrevious(demo(), added.out)), ErrorCode::CheckFailed, {"/run/root/etc/resolv.conf"});
      CHECK(repair().ok());
      checkSilent(check(withPrevious(demo(), added.out)));
      CHECK(image.resolvConf() == kFile);
      // As the runtime may have it by then: without the root, the DNS and the namespace.
      checkSilent(del(config(kIpam), {.netns = ""}));
      CHECK(image.resolvConf() == (before.empty() ? "mine\n" : before));
      fs::remove(image / "etc/resolv.conf");
      if (!before.empty()) image.with(before);
      CHECK(image.dump() == was);
    }
  }
}

TEST_CASE("a root that is read-only: ADD mounts, DEL unmounts, and again") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const RootFs image;
  image.with("the image's").readOnly();
  const Unchanged unchanged{host};
  const std::string before = mounts();
  for (int round = 0; round < 2; ++round) {
    const Outcome added = add(demo());
    resultOf(added);
    CHECK(image.resolvConf() == kFile);
    checkSilent(check(withPrevious(demo(), added.out)));
    shell("umount /run/root/etc/resolv.conf");
    checkError(check(withPrevious(demo(), added.out)), ErrorCode::CheckFailed, {"/run/root/etc/resolv.conf"});
    CHECK(repair().ok());
    CHECK(image.resolvConf() == kFile);
    checkSilent(del(demo()));
    CHECK(image.resolvConf() == "the image's");
    CHECK(mounts() == before);
    checkSilent(del(demo()));
  }
}

TEST_CASE("An image whose resolv.conf is a symlink to a file of the host does not reach it") {
  for (const bool readOnly : {false, true}) {
    CAPTURE(readOnly);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    std::ofstream{"/run/host-resolv.conf"} << "the host's";
    const RootFs image;
    image.linked("/run/host-resolv.conf").with("inside", "run/host-resolv.conf");
    if (readOnly) image.readOnly();
    const std::string before = image.dump();
    resultOf(add(demo()));
    CHECK(contentOf("/run/host-resolv.conf") == "the host's");
    CHECK(contentOf(image / (readOnly ? "run/host-resolv.conf" : "etc/resolv.conf")) == kFile);
    checkSilent(del(demo()));
    CHECK(contentOf("/run/host-resolv.conf") == "the host's");
    CHECK(image.dump() == before);
  }
}

TEST_CASE("a root of another user, as containers in user namespaces have it, is written and put back all the same") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const RootFs image;
  image.with("the image's");
  shell("cd /run/root && chmod 0600 etc/resolv.conf && chmod 0700 etc . && chown -R 100000:100000 .");
  const auto owners = [] { return outputOf({"stat", "-c", "%n %u %a", "/run/root/etc", "/run/root/etc/resolv.conf"}); };
  const std::string before = image.dump() + owners();
  resultOf(add(demo()));
  CHECK(image.resolvConf() == kFile);
  CHECK((fs::status(image / "etc/resolv.conf").permissions() & fs::perms::others_read) != fs::perms::none);
  checkSilent(del(demo()));
  CHECK(image.dump() + owners() == before);
}

TEST_CASE("without DNS settings, or without the capability, nothing is written") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const RootFs image;
  image.with("the image's");
  const std::string before = image.dump();
  for (const std::string& without : {config(kIpam + ", " + rootfs("/run/root")), config(kIpam + ", " + kDns),
                                     config(kIpam + ", " + kDns + ", " + rootfs(""))}) {
    resultOf(add(without));
    CHECK(image.dump() == before);
    checkSilent(del(without));
  }
}

TEST_CASE("the servers come from wherever the result has them") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const RootFs image;
  const std::string dns = R"("runtimeConfig": {"rootfs": "/run/root", "dns": {"servers": ["192.0.2.7"]}})";
  resultOf(add(config(kIpam + ", " + dns)));
  CHECK(image.resolvConf() == "# made by pons\nnameserver 192.0.2.7\n");
  checkSilent(del(config(kIpam)));

  std::ofstream{"/run/resolv.conf"} << "nameserver 192.0.2.8\n; nothing\n";
  resultOf(
      add(config(R"("ipam": {"subnet": "10.42.0.0/24", "resolvConf": "/run/resolv.conf"}, )" + rootfs("/run/root"))));
  CHECK(image.resolvConf() == "# made by pons\nnameserver 192.0.2.8\n");
  checkSilent(del(config(kIpam)));
}

TEST_CASE("a root that cannot be one is an error of the configuration, and nothing is left") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const RootFs image;
  fs::create_directory(image / "etc/resolv.conf");
  const std::string before = image.dump();
  const Unchanged unchanged{host};
  const std::string endless(250, 'x');
  const std::vector<std::pair<std::string, std::string>> roots{{"relative", "runtimeConfig.rootfs"},
                                                               {"/run/../run/root", "without \\\"..\\\""},
                                                               {"/run/root\\u0000x", "absolute path"},
                                                               {"/" + endless, "shorter"},
                                                               {"/run/nothing", "No such file"},
                                                               {"/", "own root directory"},
                                                               {"/run/root", "neither a file nor a symlink"}};
  for (const auto& [root, words] : roots) {
    CAPTURE(root);
    const Outcome outcome = add(demo(root));
    checkError(outcome, ErrorCode::InvalidConfig, {"rootfs"});
    CHECK_MESSAGE(outcome.out.find(words) != std::string::npos, outcome.out);
    checkSilent(del(demo(root)));
  }
  CHECK(image.dump() == before);
}

TEST_CASE("A failed ADD leaves neither file nor mount") {
  for (const bool readOnly : {false, true}) {
    CAPTURE(readOnly);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const RootFs image;
    image.with("the image's");
    if (readOnly) image.readOnly();
    // Late: the container has an interface of that name already.
    shell("ip -n c1 link add eth0 type bridge");
    const Unchanged unchanged{host};
    const std::string before = image.dump() + mounts();
    CHECK(add(demo()).exitCode == 1);
    CHECK(image.dump() + mounts() == before);
    // Early: a port that another container has.
    host.addNamespace("c2");
    const std::string port = R"("portMappings": [{"hostPort": 8080, "containerPort": 80}])";
    const std::string other = config(kIpam + ", " + port);
    resultOf(add(other, subjectOf("c2")));
    checkError(add(demo("/run/root", port)), ErrorCode::InvalidConfig, {"8080"});
    CHECK(image.dump() == before.substr(0, image.dump().size()));
    checkSilent(del(other, subjectOf("c2")));
  }
}

TEST_CASE("a container's second network cannot have the same resolv.conf") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const RootFs image;
  resultOf(add(demo()));
  const Subject second{.ifName = "eth1"};
  checkError(add(demo(), second), ErrorCode::InvalidConfig,
             {"/run/root", "container c1 (eth0) of network demo", "dns"});
  const std::string noDns = config(kIpam + ", " + rootfs("/run/root"));
  resultOf(add(noDns, second));
  checkSilent(del(noDns, second));
  CHECK(image.resolvConf() == kFile);
  checkSilent(del(demo()));
  CHECK(image.resolvConf() == "");
}

TEST_CASE("GC removes the file as DEL does, also where the record is damaged") {
  for (const bool damaged : {false, true}) {
    for (const bool readOnly : {false, true}) {
      CAPTURE(damaged);
      CAPTURE(readOnly);
      REQUIRE_FAKE_HOST(host);
      host.addNamespace("c1");
      const Unchanged unchanged{host};
      const RootFs image;
      image.with("the image's");
      if (readOnly) image.readOnly();
      const std::string before = image.dump() + mounts();
      resultOf(add(demo()));
      if (damaged) std::ofstream{"/run/pons/networks/demo/attachments/c1:eth0.json"} << "{";
      checkSilent(callForNetwork("GC", withValid(config(kIpam), {})));
      CHECK(image.dump() + mounts() == before);
    }
  }
}

TEST_CASE("a root that is gone keeps no DEL from its end") {
  for (const bool readOnly : {false, true}) {
    CAPTURE(readOnly);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const Unchanged unchanged{host};
    const RootFs image;
    image.with("the image's");
    if (readOnly) image.readOnly();
    resultOf(add(demo()));
    shell("umount -l /run/root && rmdir /run/root");
    checkSilent(del(demo()));
  }
}
