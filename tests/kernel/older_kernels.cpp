// netlib where system calls are missing (see refused_calls.h), in a process of its own.
#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netlib/os/file_mount.h"
#include "netlib/os/program.h"
#include "netlib/os/root_directory.h"
#include "netlib/rtnl/link.h"

#include "tests/support/refused_calls.h"
#include "tests/support/root_fs.h"

using namespace support;
using namespace std::chrono_literals;
using netlib::Program;
using netlib::RootDirectory;
namespace fs = std::filesystem;

namespace {

/// What `work` says on that kernel.
std::string saidOn(const OlderKernel& kernel, const std::function<std::string()>& work) {
  fs::remove("/run/said");
  const Outcome ended = runForked([&] {
    refuse(kernel.lacks);
    setContent("/run/said", work());
    return 0;
  });
  CHECK(ended.ok());
  return contentOf("/run/said");
}

std::string script(const std::string& name, const std::string& text) {
  const std::string path = "/run/" + name;
  setContent(path, "#!/bin/sh\n" + text + "\n");
  REQUIRE(chmod(path.c_str(), 0755) == 0);
  return path;
}

std::string ran(const std::string& path, const std::string& input = {}, std::chrono::milliseconds timeout = 20s) {
  const auto program = Program::open(path);
  if (!program) return program.error().message;
  const auto outcome = program->run({}, {.environment = {}, .input = input, .timeout = timeout});
  if (!outcome) return outcome.error().message;
  return std::to_string(outcome->status) + " " + outcome->output + outcome->errors;
}

netlib::UniqueFd opened(const std::string& path) { return netlib::UniqueFd{open(path.c_str(), O_PATH | O_CLOEXEC)}; }

}  // namespace

TEST_CASE("Older kernels: programs run one after the other, get no descriptor of ours, and end as they end elsewhere") {
  REQUIRE_FAKE_HOST(host);
  const std::string echo = script("echo", "cat; echo done >&2; exit 3");
  const std::string quick = script("quick", "exit 0");
  const std::string killed = script("killed", "kill -TERM $$");
  const std::string slow = script("slow", "sleep 600");
  const std::string parent = script("parent", "sleep 5 & exit 4");
  const std::string wordy = script("wordy", "head -c 300000 /dev/zero");
  const std::string open = script("open", "ls /proc/self/fd");
  for (const OlderKernel& kernel : olderKernels()) {
    CAPTURE(kernel.name);
    const std::string said = saidOn(kernel, [&] {
      // As a runtime would have left them open: not close-on-exec.
      const netlib::UniqueFd inherited{::open("/dev/null", O_RDONLY)};
      dup2(inherited.get(), 90);
      std::string all = ran(echo, "in ") + ran(quick) + ran(killed) + "|" + ran(open) + "|";
      for (int i = 0; i < 20; ++i) all += ran(quick);
      all += "|" + ran(parent) + "|" + ran(slow, {}, 300ms) + "|" + std::to_string(ran(wordy).size()) + "|" +
             ran(echo, "again ");
      return all;
    });
    std::string twenty;
    for (int i = 0; i < 20; ++i) twenty += "0 ";
    // ls has opened the directory as the first free descriptor.
    CHECK(said == "3 in done\n0 143 |0 0\n1\n2\n3\n|" + twenty +
                      "|4 |/run/slow was killed: timed out after 300 ms|300002|3 again done\n");
  }
}

TEST_CASE("Older kernels: a path in a container's root leads where it leads elsewhere") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  fs::create_directory("/run/outside");
  for (const char* secret : {"/run/secret", "/run/outside/secret"}) setContent(secret, "the host's");
  image.with("the image's", "run/secret").with("the image's", "run/outside/secret").with("a file", "etc/file");
  image.linked("/run/secret", "absolute").linked("../../../run/secret", "climbing").linked("../../run/outside", "up");
  image.linked("absolute", "chain").linked("/run/nothing", "dangling").linked("loop", "loop").linked("/", "top");
  image.linked("a", "b").linked("b", "a").linked("./../etc/./file", "etc/dots");
  image.linked("/proc/self/root/run/secret", "magic");
  std::string deep = "deep";
  for (int i = 0; i < 40; ++i) deep += "/d";
  image.with("far down", deep + "/file");
  REQUIRE(mkfifo((image / "etc/fifo").c_str(), 0600) == 0);
  const auto all = [&] {
    std::string said;
    const auto root = RootDirectory::open(image.path()).value();
    for (const std::string& name : {std::string{"absolute"},
                                    std::string{"climbing"},
                                    std::string{"chain"},
                                    std::string{"up/secret"},
                                    std::string{"../../run/secret"},
                                    std::string{"/run/secret"},
                                    std::string{"dangling"},
                                    std::string{"loop"},
                                    std::string{"a"},
                                    std::string{"etc"},
                                    std::string{"etc/file"},
                                    std::string{"etc//./file"},
                                    std::string{"etc/file/x"},
                                    std::string{"etc/none/file"},
                                    std::string{"etc/fifo"},
                                    std::string{"etc/dots"},
                                    std::string{"top/top/etc/file"},
                                    std::string{"top/../up/../secret"},
                                    std::string{"magic"},
                                    deep + "/file"}) {
      const auto content = root.readFile(name, 100);
      said += name + ": " + (content ? *content : content.error().message) + "\n";
    }
    for (const char* name : {"etc", "up", "top", ".", "..", "etc/file", "etc/fifo", "none", "loop"}) {
      const auto directory = root.directory(name);
      said += std::string{name} + ": " + (directory ? "open" : directory.error().message);
      if (directory) said += directory->createFile("new", name) ? "" : " not writable";
      said += "\n";
    }
    return said;
  };
  const std::string expected = all();
  REQUIRE(contains(expected, "climbing: the image's\n"));
  REQUIRE(!contains(expected, "the host's"));
  for (const OlderKernel& kernel : olderKernels()) {
    CAPTURE(kernel.name);
    CHECK(saidOn(kernel, all) == expected);
    CHECK(!fs::exists("/run/outside/new"));
    CHECK(!fs::exists("/run/new"));
  }
}

TEST_CASE("Older kernels: a container cannot make the host hold hundreds of descriptors open") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  std::string deep = "d";
  for (int i = 0; i < 100; ++i) deep += "/d";
  image.with("far down", deep + "/file").linked("/" + deep + "/file");
  const std::string said = saidOn(olderKernels().at(1), [&] {
    const auto content = RootDirectory::open(image.path())->readFile("etc/resolv.conf", 100);
    return content ? *content : std::string{std::strerror(content.error().number)};
  });
  CHECK(said == std::strerror(ENAMETOOLONG));
}

TEST_CASE("Older kernels: a mounted file has all its restrictions, and a mount that cannot have them does not stay") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  image.with("the image's").readOnly();
  setContent("/run/staged", "ours");
  const std::string path = image / "etc/resolv.conf";
  for (const OlderKernel& kernel : olderKernels()) {
    CAPTURE(kernel.name);
    const std::size_t mounts = mountCount();
    const std::string said = saidOn(kernel, [&] {
      const auto staged = opened("/run/staged");
      if (const auto mounted = netlib::file_mount::mount(staged, opened(path)); !mounted)
        return mounted.error().message;
      struct statvfs status {};
      constexpr unsigned long kAll = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC;
      const bool restricted = statvfs(path.c_str(), &status) == 0 && (status.f_flag & kAll) == kAll;
      const netlib::UniqueFd writable{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
      const bool shut = !writable && errno == EROFS;
      const std::string content = contentOf(path);
      const bool gone = netlib::file_mount::unmount(opened(path)).ok() && contentOf(path) == "the image's";
      return content + (restricted ? " restricted" : "") + (shut ? " read-only" : "") + (gone ? " gone" : "");
    });
    CHECK(said == "ours restricted read-only gone");
    CHECK(mountCount() == mounts);

    OlderKernel crippled = kernel;
    crippled.lacks.push_back({SYS_mount_setattr, ENOSYS});
    crippled.lacks.push_back({SYS_mount, EPERM});
    CHECK(contains(saidOn(crippled,
                          [&] {
                            const auto mounted = netlib::file_mount::mount(opened("/run/staged"), opened(path));
                            return mounted ? "mounted" : mounted.error().message;
                          }),
                   "read-only"));
    CHECK(mountCount() == mounts);
    CHECK(contentOf(path) == "the image's");
  }
}

TEST_CASE("Older kernels: hundreds of requests go in one datagram, dumps are of what was asked for") {
  REQUIRE_FAKE_HOST(host);
  for (const OlderKernel& kernel : olderKernels()) {
    CAPTURE(kernel.name);
    CHECK(saidOn(kernel, [] {
            auto route = netlib::Socket::open(netlib::Socket::Subsystem::Route).value();
            netlib::Batch batch;
            for (unsigned i = 0; i < 200; ++i)
              netlib::link::appendSetUp(batch, i % 2 == 0 ? netlib::link::kLoopbackIndex : 4711);
            const auto answers = route.exchange(batch);
            if (!answers) return answers.error().message;
            std::size_t failed = 0;
            for (const netlib::Answer& answer : *answers) failed += answer.error == ENODEV ? 1 : 0;
            const auto found = netlib::link::find(route, netlib::IfName::parse("lo").value());
            return std::to_string(failed) + (found ? " lo" : " " + found.error().message);
          }) == "100 lo");
  }
}
