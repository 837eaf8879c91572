// The program: environment and stdin in, one JSON document on stdout and an exit code out.
#include <array>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "netlib/os/confinement.h"
#include "netlib/os/file.h"

#include "plugin/cni/decode/request.h"
#include "plugin/telemetry/trace.h"
#include "plugin/verbs/serve.h"

namespace {

constexpr int kCannotExecute = 127;  // as of a shell

/// The heap grows once and shrinks never: for a run of some milliseconds giving memory back and asking anew are system
/// calls and page faults for nothing.
void keepHeap() {
  constexpr int kMebibyte = 1 << 20;
  mallopt(M_TOP_PAD, kMebibyte);
  mallopt(M_TRIM_THRESHOLD, 64 * kMebibyte);
}

/// A standard stream that the caller closed must not lend its number to a file that we open: our lines for people would
/// be written into a record. The numbers are taken by something that can be neither read nor written.
void occupyStandardStreams() {
  // The first number behind them stays taken: giving it back is a system call for nothing.
  for (int fd = 0; fd >= 0 && fd <= STDERR_FILENO;) fd = open("/", O_PATH | O_CLOEXEC);
}

netlib::Result<std::string> readStdin() {
  return netlib::readAll(STDIN_FILENO, pons::cni::kMaxInputWithResult, "stdin");
}

/// The commands for administrators are a program of their own, which replaces this process: the one beside this
/// executable, else the one in PATH. Returns only where there is none.
int executePonsctl(char** argv) {
  std::array<char, PATH_MAX> self{};
  const ssize_t length = readlink("/proc/self/exe", self.data(), self.size() - 1);
  const std::string beside = std::string{self.data(), length > 0 ? static_cast<std::size_t>(length) : 0} + "ctl";
  std::fputs("pons: its commands have moved to ponsctl(8), which is executed in its place\n", stderr);
  argv[0] = const_cast<char*>("ponsctl");
  execv(beside.c_str(), argv);
  execvp(argv[0], argv);
  std::perror("pons: cannot execute ponsctl");
  return kCannotExecute;
}

pons::Answer answer(int argc, char** argv) {
  try {
    const std::string_view name = argc > 0 ? argv[0] : "";
    const auto environment = pons::cni::Environment::read([](const char* key) { return std::getenv(key); }, name);
    if (environment.trace) pons::trace::begin();
    const bool isCommand = argc > 1 && environment.command.empty() && environment.applet == pons::cni::Applet::Pons;
    if (isCommand) return {executePonsctl(argv), {}, {}};
    const auto confined = netlib::confine();
    if (!confined) {
      return pons::failed({pons::cni::ErrorCode::Internal, confined.error().message},
                          textOf(pons::cni::kNewestVersion));
    }
    return pons::serve(environment, readStdin);
  } catch (const std::exception& problem) {
    // Nothing of ours throws; what arrives here is want of memory, or a library's last word.
    return pons::failed({pons::cni::ErrorCode::Internal, problem.what()}, textOf(pons::cni::kNewestVersion));
  }
}

}  // namespace

int main(int argc, char** argv) {
  keepHeap();
  occupyStandardStreams();
  // A runtime that is gone must not kill us in the middle of the work; the failing write tells as well.
  std::signal(SIGPIPE, SIG_IGN);
  const pons::Answer result = answer(argc, argv);
  // A failed write to stderr is ignored; a failed write to stdout rolls the ADD back.
  static_cast<void>(netlib::writeAll(STDERR_FILENO, result.err + pons::trace::lines(), "stderr"));
  if (netlib::writeAll(STDOUT_FILENO, result.out, "stdout")) return result.exitCode;
  result.takeBack();
  return EXIT_FAILURE;
}
