#include "plugin/ctl/watch.h"

#include <algorithm>
#include <array>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "netlib/netlink/listener.h"
#include "netlib/os/file.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/supervisor.h"

namespace pons::ctl {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kSettle{100};          // a change is rarely one event
constexpr milliseconds kShortestPause{1000};  // between two passes
constexpr milliseconds kLongestShare{5000};   // the pause after a slow pass: a host that is busy for a moment makes one
constexpr int kShare = 10;     // of the time, one in so many at the most is spent in passes, and one in metrics
constexpr int kContended = 3;  // passes in succession that find faults: another program undoes the repairs

int stopWriter = -1;

/// Readable after SIGTERM or SIGINT. A handler, not a blocked signal: a program that is executed inherits blocked ones.
/// It stays for the rest of the process.
netlib::Result<netlib::UniqueFd> stopSignals() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return netlib::failErrno("make a pipe");
  stopWriter = ends[1];
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  action.sa_handler = [](int) {
    const int before = errno;
    static_cast<void>(!write(stopWriter, "", 1));
    errno = before;
  };
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
  return netlib::UniqueFd{ends[0]};
}

void print(const std::vector<std::string>& lines) {
  static_cast<void>(netlib::writeAll(STDERR_FILENO, linesOf("watch", lines), "stderr"));
}

class Watch {
 public:
  static netlib::Result<Watch> open(const Arguments& arguments) {
    auto links = TRY(netlib::Listener::open(netlib::Listener::Group::Links));
    auto tables = TRY(netlib::Listener::open(netlib::Listener::Group::NfTables));
    auto stop = TRY(stopSignals());
    return Watch{arguments, std::move(links), std::move(tables), std::move(stop)};
  }

  /// Until a signal asks for the end.
  void run() {
    do {
      pass();
      supervisor_.ready();  // further ones are ignored
    } while (wait());
    supervisor_.stopping();
  }

 private:
  Watch(const Arguments& arguments, netlib::Listener links, netlib::Listener tables, netlib::UniqueFd stop)
      : arguments_(arguments), links_(std::move(links)), tables_(std::move(tables)), stop_(std::move(stop)) {}

  void pass() {
    drain();  // what has happened until now is seen by this pass
    const auto start = Clock::now();
    const Pass done = passOver(arguments_);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    report(done, took);
    writeMetrics();
    // A change of our own gets one more pass, since it cannot be distinguished from one of others meanwhile. Where pass
    // after pass finds faults, another program undoes the repairs: then ever more rarely, not once a second.
    hasEvents_ = drain();
    faulty_ = done.hadFaults && hasEvents_ ? faulty_ + 1 : 0;
    const auto shortest = std::clamp(kShare * took, kShortestPause, kLongestShare);
    pause_ = std::min(faulty_ > kContended ? std::max(2 * pause_, shortest) : shortest, longest());
  }

  void report(const Pass& done, milliseconds took) {
    print(done.done);
    if (done.problems != problems_) print(done.problems);  // not once a minute
    problems_ = done.problems;
    if (arguments_.verbose) print({"pass took " + std::to_string(took.count()) + " ms"});
  }

  /// They inspect everything once more. So a large host has them more rarely than passes, and the repairs do not wait.
  void writeMetrics() {
    const auto start = Clock::now();
    hasOldMetrics_ = start < metricsDue_;
    if (hasOldMetrics_) return;
    const auto written = ctl::writeMetrics(arguments_);
    const std::string problem = written ? "" : "metrics: " + written.error().message;
    if (!problem.empty() && problem != metricsProblem_) print({problem});
    metricsProblem_ = problem;
    metricsDue_ = Clock::now() + (kShare - 1) * (Clock::now() - start);
  }

  milliseconds longest() const { return arguments_.interval; }

  bool drain() {
    const bool anyLink = links_.drain();
    return tables_.drain() || anyLink;
  }

  /// For the next pass: after events, or the interval. False where the end is asked for.
  bool wait() {
    const auto earliest = Clock::now() + pause_;
    auto due = hasEvents_ ? earliest : Clock::now() + longest();
    if (hasOldMetrics_) due = std::min(due, std::max(earliest, metricsDue_));
    for (;;) {
      supervisor_.alive();
      const auto left = std::chrono::ceil<milliseconds>(due - Clock::now());
      if (sleep(std::clamp(left, milliseconds{0}, supervisor_.watchdog().value_or(longest())))) return false;
      if (left <= milliseconds{0}) return true;
      if (drain()) due = std::min(due, std::max(earliest, Clock::now() + kSettle));
    }
  }

  /// Until an event, or so long. True where the end is asked for.
  bool sleep(milliseconds time) {
    std::array<pollfd, 3> all{{{stop_.get(), POLLIN, 0}, {links_.fd(), POLLIN, 0}, {tables_.fd(), POLLIN, 0}}};
    return poll(all.data(), all.size(), static_cast<int>(time.count())) > 0 && all[0].revents != 0;
  }

  const Arguments& arguments_;
  netlib::Listener links_;
  netlib::Listener tables_;
  netlib::UniqueFd stop_;
  Supervisor supervisor_ = Supervisor::fromEnvironment();
  milliseconds pause_ = kShortestPause;
  bool hasEvents_ = false;
  int faulty_ = 0;                          ///< passes in succession that found faults
  std::vector<std::string> problems_ = {};  ///< of the last pass
  Clock::time_point metricsDue_ = {};       ///< not before
  bool hasOldMetrics_ = false;              ///< of before the last pass
  std::string metricsProblem_ = {};         ///< of the last time; empty if there was none
};

}  // namespace

netlib::Result<Answer> watch(const Arguments& arguments) {
  auto watch = TRY(Watch::open(arguments));
  watch.run();
  return Answer{0, {}, {}};
}

}  // namespace pons::ctl
