// The program: environment and stdin in, one JSON document on stdout and an exit code out.
#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "netlib/confinement.h"

#include "plugin/cni/request.h"
#include "plugin/serve.h"
#include "plugin/tools/tool.h"
#include "plugin/trace.h"

namespace {

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
  std::string input;
  std::array<char, 4096> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read()
  while (input.size() <= pons::cni::kMaxInputWithResult) {
    const ssize_t length = read(STDIN_FILENO, part.data(), part.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return netlib::failErrno("read stdin");
    if (length == 0) break;
    input.append(part.data(), static_cast<std::size_t>(length));
  }
  return input;
}

bool writeAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t length = write(fd, text.data(), text.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

pons::Answer answer(int argc, char** argv) {
  try {
    const std::string_view name = argc > 0 ? argv[0] : "";
    const auto environment = pons::cni::Environment::read([](const char* key) { return std::getenv(key); }, name);
    if (environment.trace) pons::trace::begin();
    const bool isTool = argc > 1 && environment.command.empty() && environment.applet == pons::cni::Applet::Pons;
    if (isTool) return pons::tools::runTool(argc, argv, environment);
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
  // Without a reader of stderr nothing is lost that anybody waits for; without one of stdout the result is.
  static_cast<void>(writeAll(STDERR_FILENO, result.err + pons::trace::lines()));
  if (writeAll(STDOUT_FILENO, result.out)) return result.exitCode;
  result.takeBack();
  return EXIT_FAILURE;
}
