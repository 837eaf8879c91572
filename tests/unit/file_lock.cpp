#include "netlib/os/file_lock.h"

#include <array>
#include <csignal>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/support/scratch.h"

using netlib::FileLock;
using netlib::UniqueFd;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

UniqueFd openLock(const support::Scratch& scratch) {
  return UniqueFd{open((scratch / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
}

/// A process that holds the lock until it is let go.
class Holder {
 public:
  explicit Holder(const support::Scratch& scratch, std::chrono::milliseconds heldFor) {
    std::array<int, 2> ready{};
    REQUIRE(pipe(ready.data()) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      const auto lock = FileLock::acquire(openLock(scratch), 0ms, "lock");
      [[maybe_unused]] const auto written = write(ready[1], lock.ok() ? "y" : "n", 1);
      usleep(static_cast<useconds_t>(heldFor.count() * 1000));
      _exit(0);
    }
    char answer = 0;
    CHECK(read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    close(ready[0]);
    close(ready[1]);
  }
  ~Holder() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  Holder(Holder&&) = delete;
  Holder& operator=(Holder&&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("a free lock is had at once, also without patience") {
  const support::Scratch scratch;
  {
    const auto lock = FileLock::acquire(openLock(scratch), 0ms, "lock");
    CHECK(lock.ok());
    CHECK(FileLock::acquire(openLock(scratch), 0ms, "lock").failedWith(netlib::Cause::Locked));
  }
  CHECK(FileLock::acquire(openLock(scratch), 0ms, "lock").ok());
}

TEST_CASE("Waiting for a stuck holder times out, and the error has its PID") {
  const support::Scratch scratch;
  const Holder holder{scratch, 10s};
  const auto start = Clock::now();
  const auto lock = FileLock::acquire(openLock(scratch), 150ms, "the lock of this test");
  const auto waited = Clock::now() - start;
  REQUIRE(lock.failedWith(netlib::Cause::Locked));
  CHECK(waited >= 150ms);
  CHECK(waited < 2s);
  CHECK(lock.error().message.find("the lock of this test") != std::string::npos);
  CHECK(lock.error().message.find("PID " + std::to_string(holder.pid())) != std::string::npos);
}

TEST_CASE("A lock released within the timeout is acquired") {
  const support::Scratch scratch;
  const Holder holder{scratch, 100ms};
  const auto start = Clock::now();
  CHECK(FileLock::acquire(openLock(scratch), 10s, "lock").ok());
  CHECK(Clock::now() - start < 5s);
}

TEST_CASE("Other signals do not end the waiting") {
  const support::Scratch scratch;
  const Holder holder{scratch, 10s};
  struct sigaction former {};
  struct sigaction harmless {};
  harmless.sa_handler = [](int) {};
  REQUIRE(sigaction(SIGUSR1, &harmless, &former) == 0);
  const pid_t self = getpid();
  const pid_t disturber = fork();
  if (disturber == 0) {
    for (int i = 0; i < 20; ++i) {
      usleep(5000);
      kill(self, SIGUSR1);
    }
    _exit(0);
  }
  const auto start = Clock::now();
  CHECK(FileLock::acquire(openLock(scratch), 200ms, "lock").failedWith(netlib::Cause::Locked));
  CHECK(Clock::now() - start >= 200ms);
  while (waitpid(disturber, nullptr, 0) < 0 && errno == EINTR) {}  // it may not have sent all of them yet
  sigaction(SIGUSR1, &former, nullptr);
}

TEST_CASE("the process' own alarm and signal mask are as before, and a blocked SIGALRM does no harm") {
  const support::Scratch scratch;
  const Holder holder{scratch, 10s};
  sigset_t blocked;
  sigset_t former;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  REQUIRE(sigprocmask(SIG_BLOCK, &blocked, &former) == 0);

  CHECK(FileLock::acquire(openLock(scratch), 60ms, "lock").failedWith(netlib::Cause::Locked));

  sigset_t after;
  REQUIRE(sigprocmask(SIG_SETMASK, &former, &after) == 0);
  CHECK(sigismember(&after, SIGALRM) == 1);
  struct sigaction action {};
  REQUIRE(sigaction(SIGALRM, nullptr, &action) == 0);
  CHECK((action.sa_handler == SIG_DFL));
  itimerval timer{};
  REQUIRE(getitimer(ITIMER_REAL, &timer) == 0);
  CHECK(timer.it_value.tv_sec == 0);
  CHECK(timer.it_value.tv_usec == 0);
}
