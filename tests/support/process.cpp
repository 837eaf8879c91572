#include "tests/support/process.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace support {
namespace {

using netlib::UniqueFd;

// memfds for the three standard streams: unlike pipes they are never full, so no reader is needed.
UniqueFd memoryFile(const std::string& content = {}) {
  UniqueFd fd{memfd_create("test", MFD_CLOEXEC)};
  if (pwrite(fd.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) std::abort();
  return fd;
}

std::string contentOf(const UniqueFd& fd) {
  std::string content(static_cast<std::size_t>(lseek(fd.get(), 0, SEEK_END)), '\0');
  if (pread(fd.get(), content.data(), content.size(), 0) < 0) std::abort();
  return content;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void execute(const std::vector<std::string>& argv, const RunOptions& options) {
  const bool own = options.environment.has_value();
  if (options.beforeExec) options.beforeExec();
  execvpe(argv[0].c_str(), pointers(argv).data(), own ? pointers(*options.environment).data() : environ);
  std::fprintf(stderr, "%s: %s\n", argv[0].c_str(), std::strerror(errno));
  _exit(127);
}

bool waitFor(pid_t child, std::chrono::milliseconds timeout) {
  // glibc 2.36 declares pidfd_open() without C linkage.
  const UniqueFd ended{static_cast<int>(syscall(SYS_pidfd_open, child, 0))};
  pollfd wait{.fd = ended.get(), .events = POLLIN, .revents = 0};
  return poll(&wait, 1, static_cast<int>(timeout.count())) != 0;
}

Outcome outcomeOf(int status) {
  Outcome outcome;
  if (WIFEXITED(status)) outcome.exitCode = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

Outcome finish(pid_t child, std::chrono::milliseconds timeout) {
  const bool timedOut = !waitFor(child, timeout);
  if (timedOut) kill(child, SIGKILL);
  int status = 0;
  if (waitpid(child, &status, 0) != child) std::abort();
  Outcome outcome = outcomeOf(status);
  outcome.timedOut = timedOut;
  return outcome;
}

pid_t forkChild(const std::function<int()>& work) {
  std::fflush(nullptr);  // else the child may write the test's buffered output a second time
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork: out of processes");
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // doctest's handlers would report the child's death as that of the test.
  for (const int deadly : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTERM, SIGINT}) std::signal(deadly, SIG_DFL);
  _exit(work());
}

}  // namespace

Outcome run(const std::vector<std::string>& argv, const RunOptions& options) {
  const UniqueFd in = memoryFile(options.input);
  const UniqueFd out = memoryFile();
  const UniqueFd err = memoryFile();
  const pid_t child = forkChild([&]() -> int {
    dup2(in.get(), STDIN_FILENO);
    dup2(out.get(), STDOUT_FILENO);
    dup2(err.get(), STDERR_FILENO);
    execute(argv, options);
  });
  Outcome outcome = options.wait ? outcomeOf(options.wait(child)) : finish(child, options.timeout);
  outcome.out = contentOf(out);
  outcome.err = contentOf(err);
  if (outcome.timedOut) outcome.err += "ended by the test after " + std::to_string(options.timeout.count()) + " ms\n";
  return outcome;
}

std::string outputOf(const std::vector<std::string>& argv) {
  Outcome outcome = run(argv);
  if (outcome.ok()) return std::move(outcome.out);
  std::string command;
  for (const std::string& word : argv) command += word + " ";
  throw std::runtime_error(command + "failed: " + outcome.err);
}

Outcome runForked(const std::function<int()>& work, std::chrono::milliseconds timeout) {
  return finish(forkChild(work), timeout);
}

ForkedProcess::ForkedProcess(const std::function<int()>& work) : pid_(forkChild(work)) {}

ForkedProcess::~ForkedProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace support
