#include "tests/support/tracer.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>

#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {
namespace {

using Kind = FaultInjection::Kind;

void check(bool succeeded, const char* what) {
  if (!succeeded) throw std::runtime_error(std::string{what} + ": " + std::strerror(errno));
}

#if defined(__x86_64__)
using Registers = user_regs_struct;
constexpr bool kKnownProcessor = true;
void setCall(pid_t child, Registers& registers, long call) {
  registers.orig_rax = static_cast<unsigned long long>(call);
  iovec part{&registers, sizeof registers};
  check(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &part) == 0, "replace a system call");
}
void setAnswer(Registers& registers, long answer) { registers.rax = static_cast<unsigned long long>(answer); }
unsigned long long& firstArgument(Registers& registers) { return registers.rdi; }
void restoreFirstArgument(Registers& registers, unsigned long long value) { registers.rdi = value; }
#elif defined(__aarch64__)
using Registers = user_regs_struct;
constexpr bool kKnownProcessor = true;
void setCall(pid_t child, Registers& /*registers*/, int call) {
  iovec part{&call, sizeof call};
  check(ptrace(PTRACE_SETREGSET, child, NT_ARM_SYSTEM_CALL, &part) == 0, "replace a system call");
}
void setAnswer(Registers& registers, long answer) { registers.regs[0] = static_cast<unsigned long long>(answer); }
unsigned long long& firstArgument(Registers& registers) { return registers.regs[0]; }
void restoreFirstArgument(Registers&, unsigned long long) {}  // holds the result now
#else
struct Registers {};
constexpr bool kKnownProcessor = false;
void setCall(pid_t, Registers&, long) {}
void setAnswer(Registers&, long) {}
unsigned long long& firstArgument(Registers&) { std::abort(); }
void restoreFirstArgument(Registers&, unsigned long long) {}
#endif

Registers registersOf(pid_t child) {
  Registers registers{};
  iovec part{&registers, sizeof registers};
  check(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &part) == 0, "read registers");
  return registers;
}

void setRegisters(pid_t child, Registers& registers) {
  iovec part{&registers, sizeof registers};
  check(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &part) == 0, "write registers");
}

/// openat changes state only with O_CREAT.
bool mayChange(long call, const std::uint64_t* arguments) {
  constexpr std::array kChanging{SYS_write,  SYS_pwrite64,  SYS_sendto,   SYS_mkdirat,
                                 SYS_linkat, SYS_symlinkat, SYS_unlinkat, SYS_renameat2};
  if (call == SYS_openat) return (arguments[2] & O_CREAT) != 0;
    // Older names, which newer processors lack.
#ifdef __x86_64__
  if (call == SYS_mkdir || call == SYS_rename) return true;
#endif
  return std::ranges::find(kChanging, call) != kChanging.end();
}

/// One run, from its first stop to its end.
class Tracer {
 public:
  Tracer(const FaultInjection& fault, std::vector<TracedCall>& calls) : fault_(fault), calls_(calls) {}

  /// The wait status that the program ended with.
  int follow(pid_t child) {
    int status = next(child);
    if (!WIFSTOPPED(status)) return status;
    check(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0, "trace");
    int signal = 0;
    for (;;) {
      check(ptrace(PTRACE_SYSCALL, child, 0, signal) == 0 || errno == ESRCH, "continue");
      status = next(child);
      if (!WIFSTOPPED(status)) return status;
      const bool atCall = WSTOPSIG(status) == (SIGTRAP | 0x80);
      signal = atCall || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
      if (atCall) stopped(child);
    }
  }

 private:
  static int next(pid_t child) {
    int status = 0;
    check(waitpid(child, &status, 0) == child, "wait for the traced program");
    return status;
  }

  void stopped(pid_t child) {
    __ptrace_syscall_info info{};
    check(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0, "look at a system call");
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) return leaving(child);
    const long call = static_cast<long>(info.entry.nr);
    if (calls_.empty() && !(call == SYS_read && info.entry.args[0] == STDIN_FILENO)) return;
    const bool answers = call == SYS_write && info.entry.args[0] == STDOUT_FILENO;
    calls_.push_back({call, mayChange(call, info.entry.args), answers});
    entering(child, call);
  }

  void entering(pid_t child, long call) {
    const bool here = calls_.size() == fault_.at && (fault_.call < 0 || fault_.call == call);
    if (here && fault_.kind == Kind::Kill) kill(child, SIGKILL);
    if (here && fault_.kind == Kind::Fail) refuse(child, fault_.error);
    if (here && fault_.kind == Kind::DoAndFail) answer_ = -fault_.error;
    const bool exhausted = fault_.kind == Kind::NoMoreMemory && calls_.size() >= fault_.at;
    if (exhausted && call == SYS_brk) keepBreak(child);
    if (exhausted && (call == SYS_mmap || call == SYS_mremap)) refuse(child, ENOMEM);
  }

  /// The system call brk returns the current break on failure, as for brk(0) (brk(2)).
  void keepBreak(pid_t child) {
    Registers registers = registersOf(child);
    firstArgument_ = firstArgument(registers);
    firstArgument(registers) = 0;
    setRegisters(child, registers);
  }

  void refuse(pid_t child, int error) {
    Registers registers = registersOf(child);
    setCall(child, registers, -1);
    answer_ = -error;
  }

  void leaving(pid_t child) {
    if (answer_ == 0 && !firstArgument_) return;
    Registers registers = registersOf(child);
    if (firstArgument_) restoreFirstArgument(registers, *firstArgument_);
    firstArgument_.reset();
    if (answer_ != 0) setAnswer(registers, answer_);
    setRegisters(child, registers);
    answer_ = 0;
  }

  const FaultInjection& fault_;
  std::vector<TracedCall>& calls_;
  std::optional<unsigned long long> firstArgument_;  ///< of the current call, if replaced
  long answer_ = 0;                                  ///< result to set for the current call; 0: unchanged
};

}  // namespace

bool canTrace() {
#ifdef __SANITIZE_ADDRESS__
  return false;  // LeakSanitizer ends a traced program
#endif
  if (!kKnownProcessor) return false;
  static const bool answer = runForked([] { return ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? 0 : 1; }).ok();
  return answer;
}

TracedOutcome runTraced(const std::vector<std::string>& argv, const RunOptions& options, const FaultInjection& fault) {
  TracedOutcome traced;
  Tracer tracer{fault, traced.calls};
  RunOptions supervised = options;
  supervised.beforeExec = [] { ptrace(PTRACE_TRACEME, 0, 0, 0); };
  supervised.wait = [&tracer](pid_t child) { return tracer.follow(child); };
  traced.outcome = run(argv, supervised);
  return traced;
}

}  // namespace support
