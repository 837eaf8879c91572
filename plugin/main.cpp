// The plugin: reads environment and stdin, writes one JSON document to stdout and exits with a status.
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

constexpr int kCannotExecute = 127;  // "command not found", as in sh(1)

/// Keeps freed memory: in a run of a few milliseconds, trimming and regrowing the heap only costs system calls and page
/// faults.
void keepHeap() {
  constexpr int kMebibyte = 1 << 20;
  mallopt(M_TOP_PAD, kMebibyte);
  mallopt(M_TRIM_THRESHOLD, 64 * kMebibyte);
}

/// Opens an unusable file (O_PATH) for each standard stream that the caller closed. Otherwise open() would return that
/// number for a record, and log lines would be written into it.
void occupyStandardStreams() {
  // The descriptor after them stays open: closing it would only cost a system call.
  for (int fd = 0; fd >= 0 && fd <= STDERR_FILENO;) fd = open("/", O_PATH | O_CLOEXEC);
}

netlib::Result<std::string> readStdin() {
  return netlib::readAll(STDIN_FILENO, pons::cni::kMaxInputWithResult, "stdin");
}

/// Replaces this process with ponsctl(8), which has the commands: from the directory of this executable, else from
/// PATH. Returns only on failure.
int executePonsctl(char** argv) {
  std::array<char, PATH_MAX> self{};
  const ssize_t length = readlink("/proc/self/exe", self.data(), self.size() - 1);
  std::fputs("pons: its commands have moved to ponsctl(8), which is executed in its place\n", stderr);
  argv[0] = const_cast<char*>("ponsctl");
  // Without /proc only PATH is left.
  if (length > 0) execv((std::string{self.data(), static_cast<std::size_t>(length)} + "ctl").c_str(), argv);
  execvp(argv[0], argv);
  std::perror("pons: cannot execute ponsctl");
  return kCannotExecute;
}

/// Main plugins and what is chained behind them call the IPAM plugin that a record names, and iptables-legacy.
netlib::Programs programsOf(const pons::cni::Environment& environment) {
  using enum pons::cni::Applet;
  const bool isAlone =
      environment.applet == HostLocal || environment.applet == Static || environment.applet == Loopback;
  return isAlone || environment.command == "VERSION" ? netlib::Programs::None : netlib::Programs::Some;
}

pons::Answer answer(int argc, char** argv) {
  try {
    const std::string_view name = argc > 0 ? argv[0] : "";
    const auto environment = pons::cni::Environment::read([](const char* key) { return std::getenv(key); }, name);
    if (environment.trace) pons::trace::begin();
    const bool isCommand = argc > 1 && environment.command.empty() && environment.applet == pons::cni::Applet::Pons;
    if (isCommand) return {executePonsctl(argv), {}, {}};
    const auto confined = netlib::confine(programsOf(environment));
    if (!confined) {
      return pons::failed({pons::cni::ErrorCode::Internal, confined.error().message},
                          textOf(pons::cni::kNewestVersion));
    }
    return pons::serve(environment, readStdin);
  } catch (const std::exception& problem) {
    // pons does not throw; the standard library (std::bad_alloc) and other libraries do.
    return pons::failed({pons::cni::ErrorCode::Internal, problem.what()}, textOf(pons::cni::kNewestVersion));
  }
}

/// The runtime regards an ADD whose result it could not read as failed.
void rollBack(const pons::Answer& result) {
  try {
    result.rollbackAdd();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "pons: cannot write the result, and rollback failed: %s\n", problem.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  keepHeap();
  occupyStandardStreams();
  // If the runtime has exited, write() fails with EPIPE instead of killing the process halfway.
  std::signal(SIGPIPE, SIG_IGN);
  const pons::Answer result = answer(argc, argv);
  // A failed write to stderr is ignored; a failed write to stdout rolls the ADD back.
  static_cast<void>(netlib::writeAll(STDERR_FILENO, result.err + pons::trace::lines(), "stderr"));
  if (netlib::writeAll(STDOUT_FILENO, result.out, "stdout")) return result.exitCode;
  rollBack(result);
  return EXIT_FAILURE;
}
