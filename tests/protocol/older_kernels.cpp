// The built program where the kernel, or a sandbox, lacks system calls that it uses elsewhere: all that it executes,
// mounts and sends.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/refused_calls.h"
#include "tests/support/root_fs.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

/// An IPAM plugin with an address for each container cN.
void installIpam() {
  fs::create_directories("/run/plugins");
  setContent("/run/plugins/fake", R"(#!/bin/sh
cat >> /run/plugins/calls.$CNI_COMMAND
[ $CNI_COMMAND != ADD ] ||
echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.50.0.1'${CNI_CONTAINERID#c}'/24", "gateway": "10.50.0.1"}]}'
)");
  fs::permissions("/run/plugins/fake", static_cast<fs::perms>(0755));
}

std::string legacyRules() { return outputOf({"sh", "-ec", "iptables-legacy -S; ip6tables-legacy -S"}); }

Outcome callOn(const OlderKernel& kernel, const std::string& verb, const std::string& config,
               const std::string& container) {
  auto environment = environmentOf(verb, subjectOf(container));
  std::erase(environment, "CNI_PATH=/opt/cni/bin");
  environment.push_back("CNI_PATH=/run/plugins");
  return run({PONS_BINARY}, {.environment = environment, .input = config, .beforeExec = [&] { refuse(kernel.lacks); }});
}

/// DNS servers for the root, and a published port.
std::string withRoot(const std::string& config, const RootFs& image) {
  const std::string more = R"(, "dns": {"nameservers": ["10.50.0.53"]}, "runtimeConfig": {"rootfs": ")" + image.path() +
                           R"(", "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})";
  return config.substr(0, config.rfind('}')) + more + "}";
}

}  // namespace

TEST_CASE("Older kernels: programs of others, iptables-legacy and a read-only root work without the newest calls") {
  for (const OlderKernel& kernel : olderKernels()) {
    CAPTURE(kernel.name);
    for (const std::vector<std::string>& order : {std::vector<std::string>{"c1", "c2"}, {"c2", "c1"}}) {
      REQUIRE_FAKE_HOST(host);
      for (const std::string& container : order) host.addNamespace(container);
      installIpam();
      shell("iptables-legacy -P FORWARD DROP; ip6tables-legacy -P FORWARD DROP");
      const RootFs image;
      image.with("the image's").readOnly();
      const Unchanged unchanged{host};
      const std::string rules = legacyRules();
      const std::size_t mounts = mountCount();
      const std::string plain = configOf("1.1.0", R"("ipam": {"type": "fake"})");
      const auto configOfContainer = [&](const std::string& name) {
        return name == order.front() ? withRoot(plain, image) : plain;
      };

      for (const std::string& container : order) {
        CAPTURE(container);
        const std::string config = configOfContainer(container);
        const Outcome added = callOn(kernel, "ADD", config, container);
        CHECK(addressIn(resultOf(added)) == "10.50.0.1" + container.substr(1));
        checkSilent(callOn(kernel, "CHECK", withPrevious(config, added.out), container));
      }
      CHECK(contains(image.resolvConf(), "nameserver 10.50.0.53\n"));
      CHECK_THROWS(outputOf({"sh", "-c", "echo x >> " + image / "etc/resolv.conf"}));
      CHECK(contains(legacyRules(), "pons forward"));
      for (const std::string& container : order) {
        CAPTURE(container);
        checkSilent(callOn(kernel, "DEL", configOfContainer(container), container));
      }
      CHECK(image.resolvConf() == "the image's");
      CHECK(mountCount() == mounts);
      CHECK(legacyRules() == rules);
      for (const char* verb : {"ADD", "CHECK", "DEL"}) {
        CHECK(fs::file_size("/run/plugins/calls." + std::string{verb}) > plain.size());
      }
    }
  }
}

TEST_CASE("Older kernels: a dual-stack network is made anew by repair, and GC removes what died, in every sandbox") {
  for (const OlderKernel& kernel : olderKernels()) {
    CAPTURE(kernel.name);
    REQUIRE_FAKE_HOST(host);
    const Unchanged unchanged{host};
    Network network{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
    const RunOptions there{
        .environment = std::vector<std::string>{}, .input = {}, .beforeExec = [&] { refuse(kernel.lacks); }};
    for (const char* container : {"c1", "c2", "c3"})
      network.attach(host, container, publishing({{8000 + container[1], 80}}));
    shell("nft flush ruleset");
    const Outcome repaired = run({PONSCTL_BINARY, "repair"}, there);
    CHECK_MESSAGE(repaired.ok(), repaired.out << repaired.err);
    network.checkAll();
    for (const char* container : {"c1", "c2", "c3"}) host.endNamespace("/run/netns/" + std::string{container});
    RunOptions gc = there;
    gc.environment = std::vector<std::string>{"CNI_COMMAND=GC", "CNI_PATH=/opt/cni/bin"};
    gc.input = withValid(network.config(), {});
    checkSilent(run({PONS_BINARY}, gc));
    for (const char* container : {"c1", "c2", "c3"}) network.forget(container);
  }
}

TEST_CASE("The container's IPv6 addresses remain when its interface goes down and up, as with the reference plugins") {
  REQUIRE_FAKE_HOST(host);
  Network network{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  for (const std::string container : {"c1", "c2"}) {
    network.attach(host, container);
    const auto addresses = [&] { return outputOf({"ip", "-n", container, "-o", "addr", "show", "scope", "global"}); };
    const std::string before = canonicalLines(addresses());
    REQUIRE(contains(before, "fd42::"));
    shell("ip -n " + container + " link set eth0 down; ip -n " + container + " link set eth0 up");
    CHECK(canonicalLines(addresses()) == before);
    checkSilent(network.del(container));
  }
}
