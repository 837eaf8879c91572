#include "netlib/os/child.h"

#include <array>
#include <charconv>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlib/os/file.h"
#include "netlib/os/system_call.h"

namespace netlib {

namespace {

constexpr int kStatusOfSignal = 128;  // as in shells

/// MFD_NOEXEC_SEAL of Linux 6.3: required where vm.memfd_noexec is 2.
constexpr unsigned kNoExec = 0x8;

Failure<Error> failedAs(int code, const std::string& what) { return fail(Error::fromErrno(what, code)); }

/// A memfd, not a pipe: nothing has to be written while the program runs, and no SIGPIPE or EPIPE is possible.
Result<UniqueFd> inputWith(const std::string& text) {
  UniqueFd file{memfd_create("input", MFD_CLOEXEC | kNoExec)};
  if (!file && errno == EINVAL) file = UniqueFd{memfd_create("input", MFD_CLOEXEC)};
  if (!file) return failErrno("cannot create a program's stdin");
  TRY(writeAtOnce(file.get(), text, 0, "a program's stdin"));
  return file;
}

struct Pipe {
  UniqueFd reading;  ///< O_NONBLOCK
  UniqueFd writing;
};

Result<Pipe> makePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) < 0) return failErrno("cannot create a pipe");
  Pipe made{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
  if (fcntl(made.reading.get(), F_SETFL, O_NONBLOCK) < 0) return failErrno("cannot make a pipe non-blocking");
  return made;
}

/// What posix_spawn(3) does between clone(CLONE_VFORK) and execve(2).
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  Result<> connect(const UniqueFd& ours, int theirs) {
    const int problem = posix_spawn_file_actions_adddup2(&actions_, ours.get(), theirs);
    return problem == 0 ? Result<>{} : Result<>{failedAs(problem, "cannot connect a program's streams")};
  }

  /// No signal is blocked or ignored; setsid(2) makes a process group that can be killed as a whole.
  Result<> detach() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    const int problem = posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
    return problem == 0 ? Result<>{} : Result<>{failedAs(problem, "cannot detach a program")};
  }

  const posix_spawn_file_actions_t& actions() const { return actions_; }
  const posix_spawnattr_t& attributes() const { return attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<> markEachCloseOnExec() {
  std::error_code failed;
  using Entries = std::filesystem::directory_iterator;
  for (Entries entry{"/proc/self/fd", failed}; !failed && entry != Entries{}; entry.increment(failed)) {
    const std::string name = entry->path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return failErrno("cannot mark descriptors");
  }
  if (failed) return failedAs(failed.value(), "cannot list the open descriptors");
  return {};
}

/// Those that this process opened are O_CLOEXEC already; inherited ones are not. close_range(2) is of Linux 5.9,
/// CLOSE_RANGE_CLOEXEC of 5.11 (EINVAL before).
Result<> markCloseOnExec() {
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return {};
  if (errno == EINVAL || isUnknownCall(errno)) return markEachCloseOnExec();
  return failErrno("cannot mark descriptors");
}

Result<pid_t> spawn(const std::string& file, std::vector<std::string> argv, std::vector<std::string> environment,
                    const SpawnSettings& settings) {
  TRY(markCloseOnExec());
  pid_t pid = 0;
  const int problem = posix_spawn(&pid, file.c_str(), &settings.actions(), &settings.attributes(),
                                  pointersTo(argv).data(), pointersTo(environment).data());
  if (problem != 0) return failedAs(problem, "cannot execute " + argv.front());
  return pid;
}

/// Appends all that can be read without blocking. False at the end of file.
Result<bool> drain(const UniqueFd& from, std::string& to, std::size_t limit) {
  std::array<char, 16384> part{};
  for (;;) {
    const ssize_t length = read(from.get(), part.data(), part.size());
    if (length == 0) return false;
    if (length < 0 && errno == EAGAIN) return true;
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return failErrno("output cannot be read");
    to.append(part.data(), static_cast<std::size_t>(length));
    if (to.size() > limit)
      return fail(Cause::Program, "was killed: its output is longer than " + std::to_string(limit) + " bytes");
  }
}

/// It has not been waited for, and remains to be.
bool hasEnded(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/// Becomes readable when the child ends. With a signalfd, where there is no pidfd, another child's end does that, too.
class EndOfChild {
 public:
  static Result<EndOfChild> of(pid_t pid) {
    // Linux 5.3. glibc 2.36 declares pidfd_open() for C only.
    UniqueFd process{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
    if (process) return EndOfChild{std::move(process), 0};
    if (!isUnknownCall(errno)) return failErrno("cannot be watched");
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // a signalfd has blocked signals only; a program starts with none
    UniqueFd signals{signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!signals) return failErrno("cannot be watched");
    if (hasEnded(pid)) raise(SIGCHLD);  // the kernel's own may have come before it was blocked, and is lost
    return EndOfChild{std::move(signals), pid};
  }

  int fd() const { return fd_.get(); }
  /// To be asked when poll(2) has found fd() readable.
  bool isReached() const {
    if (watched_ == 0) return true;
    signalfd_siginfo signal{};
    while (read(fd_.get(), &signal, sizeof signal) > 0) {}
    return hasEnded(watched_);
  }

 private:
  EndOfChild(UniqueFd fd, pid_t watched) : fd_(std::move(fd)), watched_(watched) {}

  UniqueFd fd_;
  pid_t watched_;  ///< 0 with a pidfd
};

/// Milliseconds for poll().
int timeUntil(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

}  // namespace

Result<Child> Child::start(const std::string& file, const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment, const std::string& input) {
  const UniqueFd stdinFile = TRY(inputWith(input));
  Pipe output = TRY(makePipe());
  Pipe errors = TRY(makePipe());
  SpawnSettings settings;
  TRY(settings.connect(stdinFile, STDIN_FILENO));
  TRY(settings.connect(output.writing, STDOUT_FILENO));
  TRY(settings.connect(errors.writing, STDERR_FILENO));
  TRY(settings.detach());
  // Inherited as SIG_IGN it would make waitpid(2) fail with ECHILD.
  std::signal(SIGCHLD, SIG_DFL);
  const pid_t pid = TRY(spawn(file, argv, environment, settings));
  return Child{pid, std::move(output.reading), std::move(errors.reading)};
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), output_(std::move(other.output_)), errors_(std::move(other.errors_)) {}

Child::~Child() {
  if (pid_ == 0) return;
  kill(-pid_, SIGKILL);
  static_cast<void>(reap());
}

Result<int> Child::reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return failErrno("cannot be waited for");
  }
  pid_ = 0;
  return WIFSIGNALED(status) ? kStatusOfSignal + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<Outcome> Child::await(std::chrono::milliseconds timeout, std::size_t limit) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const EndOfChild end = TRY(EndOfChild::of(pid_));

  Outcome outcome;
  std::array<pollfd, 3> watched{pollfd{.fd = end.fd(), .events = POLLIN, .revents = 0},
                                {.fd = output_.get(), .events = POLLIN, .revents = 0},
                                {.fd = errors_.get(), .events = POLLIN, .revents = 0}};
  bool ended = false;
  while (!ended) {
    const int ready = poll(watched.data(), watched.size(), timeUntil(deadline));
    if (ready < 0 && errno != EINTR) return failErrno("cannot be watched");
    if (ready == 0)
      return fail(Cause::Program, "was killed: timed out after " + std::to_string(timeout.count()) + " ms");
    if (ready < 0) continue;
    ended = watched[0].revents != 0 && end.isReached();
    // poll(2) ignores negative descriptors.
    if (!TRY(drain(output_, outcome.output, limit))) watched[1].fd = -1;
    if (!TRY(drain(errors_, outcome.errors, limit))) watched[2].fd = -1;
  }
  outcome.status = TRY(reap());
  return outcome;
}

}  // namespace netlib
