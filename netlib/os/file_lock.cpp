#include "netlib/os/file_lock.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

#include "netlib/os/directory.h"
#include "netlib/os/file.h"

namespace netlib {

namespace {

using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

timeval timevalOf(microseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_usec = (duration - seconds).count()};
}

/// Interrupts a blocking call of this thread after `after`, then every 50 ms: a signal that arrives just before the
/// call does not interrupt it.
class Alarm {
 public:
  explicit Alarm(microseconds after) {
    struct sigaction interrupt {};
    interrupt.sa_handler = [](int) {};  // without SA_RESTART, so that the call returns
    sigaction(SIGALRM, &interrupt, &formerAction_);

    // The signal mask is inherited over execve(2): the parent may have blocked SIGALRM.
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm, &formerMask_);

    constexpr microseconds kRepeat = std::chrono::milliseconds{50};
    // An it_value of zero would disarm the timer.
    const itimerval timer{.it_interval = timevalOf(kRepeat), .it_value = timevalOf(std::max(after, microseconds{1}))};
    setitimer(ITIMER_REAL, &timer, &formerTimer_);
  }
  ~Alarm() {
    constexpr itimerval kOff{};
    setitimer(ITIMER_REAL, &kOff, nullptr);
    pthread_sigmask(SIG_SETMASK, &formerMask_, nullptr);
    sigaction(SIGALRM, &formerAction_, nullptr);
    setitimer(ITIMER_REAL, &formerTimer_, nullptr);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  Alarm(Alarm&&) = delete;
  Alarm& operator=(Alarm&&) = delete;

 private:
  struct sigaction formerAction_ {};
  sigset_t formerMask_{};
  itimerval formerTimer_{};
};

/// "major:minor:inode", as /proc/locks names the file.
std::string lockedFileOf(int fd) {
  struct stat status {};
  if (fstat(fd, &status) < 0) return {};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%lu", major(status.st_dev), minor(status.st_dev), status.st_ino);
  return text.data();
}

std::vector<std::string_view> wordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    if (!word.empty()) words.push_back(word);
    line.remove_prefix(std::min(word.size() + 1, line.size()));
  }
  return words;
}

/// The owner of the lock for messages: "PID 42", or "another process" if /proc/locks does not list it.
std::string holderOf(int fd) {
  std::string unknown = "another process";
  const UniqueFd locks{open("/proc/locks", O_RDONLY | O_CLOEXEC)};
  if (!locks) return unknown;
  constexpr std::size_t kLimit = 16U << 20U;
  const auto content = readAll(locks.get(), kLimit, "/proc/locks");
  if (!content.ok()) return unknown;

  // "1: FLOCK  ADVISORY  WRITE 42 00:1a:77 0 EOF"; waiters have "->" instead of FLOCK.
  const std::string file = lockedFileOf(fd);
  std::string_view rest = *content;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::vector<std::string_view> words = wordsOf(line);
    if (words.size() > 5 && words[1] == "FLOCK" && words[5] == file) return "PID " + std::string{words[4]};
  }
  return unknown;
}

}  // namespace

Result<FileLock> FileLock::acquire(UniqueFd file, std::chrono::milliseconds timeout, const std::string& what) {
  const Clock::time_point deadline = Clock::now() + timeout;
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return FileLock{std::move(file)};
  if (errno != EWOULDBLOCK) return failErrno("cannot lock " + what);

  const Alarm alarm{timeout};
  while (Clock::now() < deadline) {
    if (flock(file.get(), LOCK_EX) == 0) return FileLock{std::move(file)};
    if (errno != EINTR) return failErrno("cannot lock " + what);
  }
  return fail(Cause::Locked, what + ": timed out after " + std::to_string(timeout.count()) + " ms; lock held by " +
                                 holderOf(file.get()));
}

}  // namespace netlib
