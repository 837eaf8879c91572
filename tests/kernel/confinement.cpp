// The seccomp filter: what is not on its list fails, also by the numbers of another architecture; what libc, pons and
// the programs that it executes need does not. That every verb and command runs with it: all tests of the built
// programs; here, that they are confined.
#include "netlib/os/confinement.h"

#include <csignal>
#include <ctime>
#include <filesystem>
#include <set>

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/fake_host.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"
#include "tests/support/tracer.h"

using namespace support;
using netlib::Programs;

namespace {

constexpr int kCannotConfine = 99;
constexpr long kNotYetKnown = 1023;

/// The exit code of `work` in a confined process.
int confined(Programs programs, const std::function<int()>& work) {
  const Outcome outcome = runForked([&] { return netlib::confine(programs) ? work() : kCannotConfine; });
  return outcome.signal != 0 ? 128 + outcome.signal : outcome.exitCode;
}

/// The errno of a system call whose arguments are invalid, so that it does nothing where it is allowed; 0 if none.
int errorOf(Programs programs, long number) {
  return confined(programs, [number] { return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0; });
}

bool isSanitized() {
#ifdef __SANITIZE_ADDRESS__
  return true;
#else
  return false;
#endif
}

}  // namespace

TEST_CASE("Confined, the calls that access other processes and the kernel fail") {
  const std::set<long> refused{SYS_process_vm_readv,
                               SYS_process_vm_writev,
                               SYS_bpf,
                               SYS_perf_event_open,
                               SYS_keyctl,
                               SYS_add_key,
                               SYS_request_key,
                               SYS_kexec_load,
                               SYS_init_module,
                               SYS_finit_module,
                               SYS_delete_module,
                               SYS_userfaultfd,
                               SYS_io_uring_setup,
                               SYS_io_uring_enter,
                               SYS_pivot_root,
                               SYS_open_by_handle_at,
                               SYS_kcmp,
                               SYS_pidfd_getfd,
                               SYS_reboot,
                               SYS_swapon,
                               SYS_settimeofday,
                               SYS_clock_settime,
                               SYS_sethostname,
                               SYS_syslog,
                               SYS_acct,
                               SYS_quotactl,
                               SYS_fanotify_init};
  for (const Programs programs : {Programs::None, Programs::Some}) {
    for (const long number : refused) {
      CAPTURE(number);
      CHECK(errorOf(programs, number) == EPERM);
    }
    if (!isSanitized()) CHECK(errorOf(programs, SYS_ptrace) == EPERM);
    CHECK(errorOf(programs, kNotYetKnown) == ENOSYS);
    CHECK(errorOf(programs, 0x7fffffff) == EPERM);
  }
}

TEST_CASE("Confined without programs, none can be started; with them, any can, and it inherits the filter") {
  const auto exec = [](const std::vector<std::string>& argv) {
    return [argv] {
      const Outcome outcome = run(argv);
      return outcome.exitCode < 0 ? 128 + outcome.signal : outcome.exitCode;
    };
  };
  CHECK(confined(Programs::Some, exec({"/bin/sh", "-c", "exit 7"})) == 7);
  CHECK(confined(Programs::Some, exec({"/bin/sh", "-c", "ls / | grep -q proc && exit 8"})) == 8);
  CHECK(confined(Programs::Some, exec({"/bin/sh", "-c", "grep -q 'Seccomp:.*2' /proc/self/status && exit 9"})) == 9);
  if (isSanitized()) return;
  for (const long number : {SYS_execve, SYS_execveat, SYS_clone, SYS_clone3, SYS_unshare, SYS_chroot}) {
    CAPTURE(number);
    CHECK(errorOf(Programs::None, number) == EPERM);
    CHECK(errorOf(Programs::Some, number) != EPERM);
  }
}

TEST_CASE("Confined, what libc does for files, memory, time and signals works") {
  for (const Programs programs : {Programs::None, Programs::Some}) {
    CHECK(confined(programs, [] {
            // Small and large memory, grown and given back.
            std::vector<std::string> texts;
            for (std::size_t size = 1; size < (64U << 20U); size *= 2) texts.emplace_back(size, 'x');
            texts.clear();
            texts.shrink_to_fit();
            timespec now{};
            std::uint64_t random = 0;
            rlimit files{};
            bool works = clock_gettime(CLOCK_BOOTTIME, &now) == 0 && getrandom(&random, sizeof random, 0) == 8;
            works &= getrlimit(RLIMIT_NOFILE, &files) == 0 && std::filesystem::exists("/proc/self/status");
            // A handler that returns: rt_sigreturn(2).
            static volatile std::sig_atomic_t handled = 0;
            std::signal(SIGUSR1, [](int) { handled = 1; });
            works &= raise(SIGUSR1) == 0 && handled == 1;
            const timespec millisecond{.tv_sec = 0, .tv_nsec = 1'000'000};
            works &= nanosleep(&millisecond, nullptr) == 0;
            void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            works &= page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0;
            works &= munmap(page, 4096) == 0;
            return works ? 0 : 1;
          }) == 0);
  }
}

#ifdef __x86_64__
namespace {

/// getpid(2) as a 32-bit program calls it.
long getpidByInterrupt() {
  constexpr long kGetpidOfI386 = 20;
  long result = kGetpidOfI386;
  asm volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
  return result;
}

}  // namespace

TEST_CASE("Confined, a system call by the numbers of a 32-bit program ends the process, and one of x32 fails") {
  constexpr int kX32 = 0x40000000;
  for (const Programs programs : {Programs::None, Programs::Some}) {
    for (const long number : {SYS_read, SYS_getpid, SYS_ptrace, SYS_execve}) {
      CHECK(errorOf(programs, kX32 | number) == EPERM);
    }
    // A kernel without CONFIG_IA32_EMULATION has no such interrupt.
    const bool has32 = runForked([] { return getpidByInterrupt() > 0 ? 0 : 1; }).ok();
    if (!has32) return FakeHost::countSkip("needs int 0x80");
    CHECK(confined(programs, [] { return getpidByInterrupt() > 0 ? 0 : 1; }) == 128 + SIGSYS);
  }
}
#endif

TEST_CASE("ponsctl is confined, whatever its command, and pons, whatever its verb") {
  if (!canTrace()) return FakeHost::countSkip("needs ptrace");
  REQUIRE_FAKE_HOST(host);
  const auto installs = [](std::vector<std::string> argv, const RunOptions& options) {
    const Scratch scratch;
    const std::string trace = scratch / "trace";
    argv.insert(argv.begin(), {"strace", "-qq", "-e", "trace=seccomp", "-o", trace});
    run(argv, options);
    return contains(contentOf(trace), "seccomp(SECCOMP_SET_MODE_FILTER, 0, ") && contains(contentOf(trace), "= 0\n");
  };
  for (const char* command : {"list", "show", "networks", "check", "repair", "gc", "explain", "doctor", "graph",
                              "metrics", "version", "help", "--help", "nonsense"}) {
    CAPTURE(command);
    CHECK(installs({PONSCTL_BINARY, command}, {}));
  }
  for (const char* verb : {"ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION"}) {
    CAPTURE(verb);
    CHECK(installs({PONS_BINARY}, {.environment = std::vector{std::string{"CNI_COMMAND="} + verb}, .input = "{}"}));
  }
}
