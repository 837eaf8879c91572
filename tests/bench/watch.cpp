#include "tests/bench/watch.h"

#include <cctype>
#include <csignal>
#include <fstream>
#include <stdexcept>

#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/support/process.h"
#include "tests/support/scratch.h"

namespace bench {

namespace {

double peakSoFar(pid_t child) {
  std::ifstream status{"/proc/" + std::to_string(child) + "/status"};
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes / 1024;
  }
  throw std::runtime_error("no VmHWM in /proc");
}

/// ru_maxrss of wait4() includes the memory of the forked process before execve() (getrusage(2)).
int waitForPeak(pid_t child, double& peak) {
  int status = 0;
  for (bool first = true; waitpid(child, &status, 0) == child && WIFSTOPPED(status); first = false) {
    if (first) ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8))) peak = peakSoFar(child);
    ptrace(PTRACE_CONT, child, nullptr, nullptr);
  }
  return status;
}

}  // namespace

Counts countsOf(Program program) {
  const support::Scratch scratch;
  const std::string summary = scratch / "summary";
  const std::vector<std::string> strace{"strace", "-f", "-qq", "-c", "-U", "calls,name", "-o", summary};
  program.argv.insert(program.argv.begin(), strace.begin(), strace.end());

  Counts counts;
  counts.out = run(program).out;
  std::ifstream lines{summary};
  // Headings and rulers have no number in front; the sum of all comes last.
  for (std::string line; std::getline(lines, line);) {
    const std::size_t digit = line.find_first_not_of(' ');
    if (digit == std::string::npos || std::isdigit(static_cast<unsigned char>(line[digit])) == 0) continue;
    const double number = std::stod(line);
    if (line.ends_with(" execve")) counts.programs = number;
    if (line.ends_with(" total")) counts.syscalls = number;
  }
  return counts;
}

Peak peakOf(const Program& program) {
  Peak peak;
  support::RunOptions options{.environment = program.environment, .input = program.input};
  options.beforeExec = [] { ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); };
  options.wait = [&peak](pid_t child) { return waitForPeak(child, peak.mebibytes); };
  support::Outcome outcome = support::run(program.argv, options);
  if (!outcome.ok()) throw std::runtime_error(program.argv[0] + " failed: " + outcome.out + outcome.err);
  peak.out = std::move(outcome.out);
  return peak;
}

}  // namespace bench
