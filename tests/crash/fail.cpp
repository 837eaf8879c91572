// Every system call of an ADD and of a DEL fails in turn: the answer is one error and the host is as it was, or the
// verb did its work all the same.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include <doctest/doctest.h>
#include <sys/syscall.h>

#include "plugin/cni/error.h"
#include "plugin/json/json.h"

#include "tests/crash/fixture.h"

using namespace support;
using Kind = FaultInjection::Kind;

namespace {

/// How a system call of ours can fail in a world where nothing is wrong with its arguments.
struct Fault {
  long call;
  std::string name;
  std::vector<int> errors;
  Kind kind = Kind::Fail;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> table{
      {SYS_read, "read", {EIO, EINTR, ENOMEM}},
      {SYS_write, "write", {EIO, EINTR, ENOSPC, EPERM, ENOMEM}},
      {SYS_pread64, "pread64", {EIO, EINTR, ENOMEM}},
      {SYS_pwrite64, "pwrite64", {EIO, EINTR, ENOSPC, ENOMEM}},
      {SYS_openat, "openat", {EMFILE, ENOMEM, EPERM, EINTR, EIO, ENOSPC}},
      {SYS_openat2, "openat2", {EMFILE, ENOMEM, EPERM, EINTR, EIO, EAGAIN}},
      {SYS_open_tree, "open_tree", {EMFILE, ENOMEM, EPERM}},
      {SYS_mount_setattr, "mount_setattr", {ENOMEM, EPERM}},
      {SYS_move_mount, "move_mount", {ENOMEM, EPERM, ENOSPC}},
      {SYS_umount2, "umount2", {ENOMEM, EPERM}},
      {SYS_fchmod, "fchmod", {EIO, EPERM, ENOSPC}},
      {SYS_close, "close", {EIO, EINTR}, Kind::DoAndFail},
      {SYS_fstat, "fstat", {EIO, ENOMEM}},
      {SYS_newfstatat, "newfstatat", {EIO, ENOMEM, EPERM}},
      {SYS_fstatfs, "fstatfs", {EIO, ENOMEM}},
      {SYS_faccessat2, "faccessat2", {EIO, ENOMEM, EPERM}},
      {SYS_getdents64, "getdents64", {EIO, ENOMEM}},
      {SYS_mkdirat, "mkdirat", {ENOSPC, EPERM, EIO, ENOMEM}},
      {SYS_linkat, "linkat", {ENOSPC, EPERM, EIO, ENOMEM}},
      {SYS_symlinkat, "symlinkat", {ENOSPC, EPERM, EIO, ENOMEM}},
      {SYS_readlink, "readlink", {EIO, EACCES, ENOMEM}},
      {SYS_readlinkat, "readlinkat", {EIO, EPERM, ENOMEM}},
      {SYS_renameat, "renameat", {ENOSPC, EPERM, EIO, ENOMEM}},
      {SYS_unlinkat, "unlinkat", {EPERM, EIO, ENOMEM}},
      {SYS_flock, "flock", {EINTR, ENOMEM}},
      {SYS_getrandom, "getrandom", {EINTR}},
      {SYS_ioctl, "ioctl", {EPERM, ENOMEM}},
      {SYS_setns, "setns", {EPERM, ENOMEM}},
      {SYS_socket, "socket", {EMFILE, ENOMEM, EPERM}},
      {SYS_setsockopt, "setsockopt", {ENOMEM, EPERM}},
      {SYS_sendto, "sendto", {ENOMEM, EINTR, EPERM}},
      {SYS_recvmsg, "recvmsg", {EINTR, ENOMEM, ENOBUFS}},
      {SYS_brk, "brk", {ENOMEM}, Kind::NoMoreMemory},
      {SYS_mmap, "mmap", {ENOMEM}, Kind::NoMoreMemory},
      {SYS_mremap, "mremap", {ENOMEM}, Kind::NoMoreMemory},
      {SYS_munmap, "munmap", {ENOMEM}},
#ifdef SYS_open
      {SYS_open, "open", {EMFILE, ENOMEM, EPERM, EINTR, EIO, ENOSPC}},
      {SYS_mkdir, "mkdir", {ENOSPC, EPERM, EIO, ENOMEM}},
      {SYS_access, "access", {EIO, ENOMEM}},
#endif
      // These cannot fail, or their failure is no matter of the kernel's state.
      {SYS_getpid, "getpid", {}},
      {SYS_gettid, "gettid", {}},
      {SYS_exit_group, "exit_group", {}},
      {SYS_lseek, "lseek", {}},
      {SYS_fcntl, "fcntl", {}},
      {SYS_rt_sigaction, "rt_sigaction", {}},
      {SYS_rt_sigprocmask, "rt_sigprocmask", {}},
      {SYS_setitimer, "setitimer", {}},
      {SYS_geteuid, "geteuid", {}},
      {SYS_clock_gettime, "clock_gettime", {}},
      {SYS_tgkill, "tgkill", {}},
  };
  return table;
}

const Fault& faultOf(long call) {
  const auto found = std::ranges::find(faults(), call, &Fault::call);
  if (found != faults().end()) return *found;
  static Fault unknown{0, "", {}};
  FAIL_CHECK("the table of faults lacks system call " << call);
  return unknown;
}

/// One error document with a code that is documented, and nothing else.
void checkOneError(const Outcome& outcome) {
  CHECK(outcome.signal == 0);
  CHECK(outcome.exitCode == 1);
  const auto document = pons::json::Document::parse(outcome.out);
  CHECK_MESSAGE(document.ok(), "stdout: " << outcome.out);
  if (!document.ok()) return;
  using pons::cni::ErrorCode;
  constexpr std::array kOfThisHost{ErrorCode::UnsupportedField, ErrorCode::Io,       ErrorCode::InvalidConfig,
                                   ErrorCode::InvalidNetns,     ErrorCode::TryAgain, ErrorCode::Internal};
  const auto code = document->root()["code"].integer().value_or(0);
  const bool expected = std::ranges::any_of(kOfThisHost, [&](ErrorCode c) { return static_cast<int>(c) == code; });
  CHECK_MESSAGE(expected, "stdout: " << outcome.out);
}

/// The write to stdout itself failed: no error can be reported, and the ADD is rolled back.
bool outputFailed(const TracedOutcome& traced, std::size_t at) {
  return traced.outcome.exitCode == 1 && traced.calls.at(at - 1).answers;
}

/// The thread cannot return from the container's namespace: the program must abort.
bool wasAborted(const TracedOutcome& traced, std::size_t at) {
  return traced.outcome.signal == SIGABRT && traced.calls.at(at - 1).number == SYS_setns;
}

using AfterFault = void (*)(const CrashFixture& fixture, const TracedOutcome& traced, std::size_t at);

/// Runs the verb with a fault at each of its calls, or for a short run at every seventh with the errors in turn, each
/// time between `before` and `after`.
void failEvery(const CrashFixture& fixture, const std::string& verb, void (*before)(const CrashFixture&),
               AfterFault after) {
  before(fixture);
  const std::vector<TracedCall> calls = fixture.callTraced(verb, {}).calls;
  fixture.must("DEL");
  const std::size_t stride = wantsAll() ? 1 : 7;
  for (std::size_t at = 1; at <= calls.size(); at += stride) {
    const Fault& fault = faultOf(calls[at - 1].number);
    for (std::size_t i = 0; i < fault.errors.size(); ++i) {
      if (!wantsAll() && i != (at / stride) % fault.errors.size()) continue;
      CAPTURE(at);
      CAPTURE(fault.name);
      const std::string error = std::strerror(fault.errors[i]);
      CAPTURE(error);
      before(fixture);
      const auto traced =
          fixture.callTraced(verb, {.kind = fault.kind, .at = at, .call = fault.call, .error = fault.errors[i]});
      CAPTURE(traced.outcome.out);
      CAPTURE(traced.outcome.err);
      after(fixture, traced, at);
    }
  }
}

void nothing(const CrashFixture&) {}
void attach(const CrashFixture& fixture) { fixture.must("ADD"); }

void afterAdd(const CrashFixture& fixture, const TracedOutcome& traced, std::size_t at) {
  if (traced.outcome.ok()) {
    fixture.checkWorking(traced.outcome.out);
    fixture.must("DEL");
  } else if (wasAborted(traced, at)) {
    fixture.must("DEL");
  } else if (!outputFailed(traced, at)) {
    checkOneError(traced.outcome);
  }
  fixture.checkUntouched();
}

void afterDel(const CrashFixture& fixture, const TracedOutcome& traced, std::size_t) {
  if (!traced.outcome.ok()) {
    checkOneError(traced.outcome);
    fixture.must("DEL");
  }
  fixture.checkUntouched();
}

}  // namespace

TEST_CASE("An ADD in which any system call fails reports one error and leaves nothing, or succeeds") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::None);
  failEvery(fixture, "ADD", nothing, afterAdd);
}

TEST_CASE("An ADD in which any system call fails does not affect an active attachment") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::Living);
  failEvery(fixture, "ADD", nothing, afterAdd);
}

TEST_CASE("A DEL in which any system call fails reports it, and a second DEL finishes") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::None);
  failEvery(fixture, "DEL", attach, afterDel);
}

TEST_CASE("A DEL in which any system call fails does not affect an active attachment") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::Living);
  failEvery(fixture, "DEL", attach, afterDel);
}
