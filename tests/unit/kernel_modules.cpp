// What of the kernel is a module, and whether it is loaded, by files.
#include "netlib/os/kernel_modules.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <sys/utsname.h>

#include "tests/support/scratch.h"
#include "tests/support/text.h"

using netlib::KernelModules;
using netlib::ModuleState;
using support::Scratch;
using support::setContent;

namespace {

void makeFile(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
  setContent(path, content);
}

std::string directoryOf(const Scratch& root) {
  utsname kernel{};
  REQUIRE(uname(&kernel) == 0);
  return root / "lib/modules/" + kernel.release + "/";
}

}  // namespace

TEST_CASE("A module is loaded, built in, a file of its own, or missing") {
  const Scratch root;
  makeFile(root / "proc/modules",
           "nf_tables 372736 0 - Live 0x0000000000000000\nnft_ct 28672 1 nf_tables, Live 0x0000000000000000\n");
  makeFile(directoryOf(root) + "modules.builtin", "kernel/net/bridge/bridge.ko\nkernel/drivers/block/virtio_blk.ko\n");
  makeFile(directoryOf(root) + "modules.dep",
           "kernel/net/netfilter/nf_tables.ko.xz: kernel/net/netfilter/nfnetlink.ko.xz\n"
           "kernel/net/netfilter/nft_fib_ipv4.ko: kernel/net/netfilter/nft_fib.ko kernel/net/netfilter/gone.ko\n"
           "kernel/drivers/net/veth.ko.zst:\nkernel/net/bridge/br-netfilter.ko:");
  KernelModules modules{root.path()};
  CHECK(modules.isLoaded("nft_ct"));
  for (const char* part : {"nf_table", "f_tables", "372736", "bridge", ""}) CHECK_FALSE(modules.isLoaded(part));
  for (const char* name : {"nf_tables", "nft_ct", "bridge", "virtio_blk"}) {
    CHECK_MESSAGE(modules.stateOf(name) == ModuleState::Present, name);
  }
  for (const char* name : {"nft_fib_ipv4", "veth", "br_netfilter"}) {
    CHECK_MESSAGE(modules.stateOf(name) == ModuleState::Loadable, name);
    CHECK_FALSE(modules.asksWithoutLoading(name));
  }
  for (const char* name : {"gone", "nft_fib", "fib_ipv4", "nfnetlink", "ifb"}) {
    CHECK_MESSAGE(modules.stateOf(name) == ModuleState::Missing, name);
    CHECK(modules.asksWithoutLoading(name));
  }
}

TEST_CASE("The release of a kernel, as distributions write it") {
  using Release = std::pair<unsigned, unsigned>;
  CHECK(netlib::parseRelease("5.4.0-150-generic") == Release{5, 4});
  CHECK(netlib::parseRelease("6.12") == Release{6, 12});
  CHECK(netlib::parseRelease("5.10+") == Release{5, 10});
  CHECK(Release{5, 10} > Release{5, 9});
  for (const char* none : {"", "5", "5.", ".4", "v5.4", "linux"}) CHECK_FALSE(netlib::parseRelease(none));
  CHECK(netlib::kernelIsAtLeast(5, 4));
  CHECK_FALSE(netlib::kernelIsAtLeast(1000, 0));
}

TEST_CASE("Without a directory of this kernel only what is loaded is known") {
  const Scratch root;
  makeFile(root / "proc/modules", "veth 32768 0 - Live 0x0\n");
  makeFile(root / "lib/modules/1.2.3-other/modules.dep", "kernel/drivers/net/ifb.ko:\n");
  KernelModules modules{root.path()};
  CHECK(modules.stateOf("veth") == ModuleState::Present);
  for (const char* name : {"ifb", "bridge"}) CHECK(modules.stateOf(name) == ModuleState::Unknown);
  CHECK(modules.asksWithoutLoading("ifb"));  // without modprobe
  makeFile(root / "proc/sys/kernel/modprobe", "/sbin/modprobe\n");
  CHECK_FALSE(modules.asksWithoutLoading("ifb"));
  CHECK(modules.asksWithoutLoading("veth"));
}

TEST_CASE("A kernel without modules, without modprobe, or that loads no more of them, can load none") {
  const Scratch root;
  const KernelModules modules{root.path()};
  CHECK_FALSE(modules.canLoad());
  makeFile(root / "proc/sys/kernel/modprobe", "/sbin/modprobe\n");
  CHECK(modules.canLoad());
  makeFile(root / "proc/sys/kernel/modules_disabled", "0\n");
  CHECK(modules.canLoad());
  setContent(root / "proc/sys/kernel/modules_disabled", "1\n");
  CHECK_FALSE(modules.canLoad());
  setContent(root / "proc/sys/kernel/modules_disabled", "0\n");
  setContent(root / "proc/sys/kernel/modprobe", "\n");
  CHECK_FALSE(modules.canLoad());
}
