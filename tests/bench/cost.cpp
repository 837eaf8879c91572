#include "tests/bench/cost.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/pipe.h"

namespace bench {

namespace {

using netlib::UniqueFd;

[[noreturn]] void failed(const std::string& what, int code = errno) {
  throw std::runtime_error(what + ": " + std::strerror(code));
}

double now() {
  using namespace std::chrono;
  return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

Cost costOf(const rusage& usage, double wall) {
  return {.wall = wall,
          .cpu = microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
          .faults = static_cast<double>(usage.ru_minflt)};
}

Cost spentSoFar() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return costOf(usage, now());
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::string readAll(const UniqueFd& from) {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t length = read(from.get(), part.data(), part.size());
    if (length < 0) failed("read a program's output");
    if (length == 0) return all;
    all.append(part.data(), static_cast<std::size_t>(length));
  }
}

/// The streams of a program to be started.
class Streams {
 public:
  Streams(const UniqueFd& in, const UniqueFd& out) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, in.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, out.get(), STDOUT_FILENO);
  }
  ~Streams() { posix_spawn_file_actions_destroy(&actions_); }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  wall += other.wall;
  cpu += other.cpu;
  faults += other.faults;
  return *this;
}

Meter::Meter() : start_(spentSoFar()) {}

Cost Meter::cost() const {
  const Cost end = spentSoFar();
  return {.wall = end.wall - start_.wall, .cpu = end.cpu - start_.cpu, .faults = end.faults - start_.faults};
}

Running::Running(const Program& program) : name_(program.argv[0]) {
  Pipe in;
  Pipe out;
  const auto length = static_cast<ssize_t>(program.input.size());
  if (write(in.writer.get(), program.input.data(), program.input.size()) != length) failed("write a program's input");
  in.writer.reset();

  const Streams streams{in.reader, out.writer};
  const std::vector<char*> argv = pointers(program.argv);
  const std::vector<char*> environment = pointers(program.environment);
  start_ = now();
  // vfork() inside: what is measured does not grow with this process.
  const int code = posix_spawnp(&pid_, argv[0], streams.actions(), nullptr, argv.data(), environment.data());
  if (code != 0) failed("start " + name_, code);
  output_ = std::move(out.reader);
}

Finished Running::finish() {
  int status = 0;
  rusage usage{};
  if (wait4(pid_, &status, 0, &usage) != pid_) failed("wait for " + name_);
  const Cost cost = costOf(usage, now() - start_);
  std::string out = readAll(output_);
  if (status != 0) throw std::runtime_error(name_ + " failed: " + out);
  return {cost, std::move(out)};
}

}  // namespace bench
