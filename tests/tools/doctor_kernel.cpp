// ponsctl doctor on kernels with modules: it asks for nothing that is not loaded.
#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>
#include <sys/utsname.h>

#include "plugin/ctl/doctor_checks.h"

#include "tests/support/fake_host.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace pons::ctl;
using namespace support;

namespace {

const std::vector<std::string> kNames{"bridge",   "veth",      "ifb",         "nf_tables",       "nft_chain_nat",
                                      "nft_masq", "nft_nat",   "nft_ct",      "nft_fib_ipv4",    "nft_fib_ipv6",
                                      "nft_log",  "nft_limit", "nft_counter", "nft_meta_bridge", "nft_objref"};

void makeFile(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
  setContent(path, content);
}

/// A host with modprobe that has these modules as files, and has loaded those.
netlib::KernelModules modulesAt(const Scratch& root, const std::vector<std::string>& files,
                                const std::vector<std::string>& loaded) {
  std::string list;
  for (const std::string& name : loaded) list += name + " 16384 0 - Live 0x0000000000000000\n";
  makeFile(root / "proc/modules", list);
  makeFile(root / "proc/sys/kernel/modprobe", "/sbin/modprobe\n");
  utsname kernel{};
  REQUIRE(uname(&kernel) == 0);
  std::string dependencies;
  for (const std::string& name : files) dependencies += "kernel/net/" + name + ".ko:\n";
  if (!files.empty()) makeFile(root / "lib/modules/" + kernel.release + "/modules.dep", dependencies);
  return netlib::KernelModules{root.path()};
}

CheckResults checked(const Needs& needs, const netlib::KernelModules& modules) {
  CheckResults results;
  checkKernel(results, needs, modules);
  return results;
}

std::string links() { return outputOf({"ip", "-o", "link"}); }

}  // namespace

TEST_CASE("ponsctl doctor names the modules that the first container will load, and loads none") {
  REQUIRE_FAKE_HOST(host);
  const std::string before = links();
  for (const bool limits : {false, true}) {
    CAPTURE(limits);
    const Scratch root;
    Needs needs;
    needs.sendLimit = limits;
    const CheckResults results = checked(needs, modulesAt(root, kNames, {}));
    REQUIRE(results.size() == 1);
    CHECK(results.front().severity == Severity::Note);
    for (const std::string& name : kNames) {
      CAPTURE(name);
      const bool isNamed = contains(results.front().what, name) && contains(results.front().remedy, " " + name);
      CHECK(isNamed == (limits || name != "ifb"));
    }
  }
  CHECK(links() == before);
}

TEST_CASE("ponsctl doctor names those that are missing of several, and asks for the others") {
  REQUIRE_FAKE_HOST(host);
  std::vector<std::string> loaded = kNames;
  std::erase(loaded, "nft_fib_ipv4");
  std::erase(loaded, "veth");
  const Scratch root;
  const CheckResults results = checked({}, modulesAt(root, kNames, loaded));
  REQUIRE(results.size() == 1);
  CHECK(contains(results.front().what, "not loaded: nft_fib_ipv4, veth;"));
}

TEST_CASE("ponsctl doctor finds all on a kernel that has all, loaded or without modules") {
  REQUIRE_FAKE_HOST(host);
  const Scratch root;
  const CheckResults withModules = checked({}, modulesAt(root, kNames, kNames));
  REQUIRE(withModules.size() == 1);
  CHECK(withModules.front().severity == Severity::Fine);
  const Scratch empty;
  const CheckResults without = checked({}, netlib::KernelModules{empty.path()});
  REQUIRE(without.size() == 1);
  CHECK(without.front().what == withModules.front().what);
}

TEST_CASE("ponsctl doctor does not ask where it cannot know what that would load: in a container") {
  REQUIRE_FAKE_HOST(host);
  const Scratch root;
  const CheckResults results = checked({}, modulesAt(root, {}, {"bridge", "veth", "nf_tables"}));
  REQUIRE(results.size() == 1);
  CHECK(results.front().severity == Severity::NotChecked);
  CHECK(contains(results.front().what, "nft_masq"));
  CHECK(!contains(results.front().what, "veth"));
}
