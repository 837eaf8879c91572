// One of the runtimes of the storm.
#pragma once

#include <chrono>
#include <map>
#include <random>
#include <string>

#include "tests/support/process.h"

namespace storm {

/// Calls random verbs for its own containers, and kills some of them. No other client works on these containers: an
/// attachment exists until this client deletes it, so the expected result of each verb is known.
class Client {
 public:
  Client(int number, std::uint64_t seed) : number_(number), random_(seed) {}

  void runUntil(std::chrono::steady_clock::time_point end);

 private:
  enum class State : std::uint8_t { Absent, Attached, Unknown };
  struct Container {
    State state = State::Absent;
    std::string result;
  };

  int below(int bound) { return std::uniform_int_distribution<int>{0, bound - 1}(random_); }

  void doSomething();
  void add(int container);
  void del(int container);
  void check(int container);
  void callForNetwork(const std::string& verb, int network);
  void kill(const std::string& verb, int container);

  std::string randomPorts();
  support::Outcome call(const std::string& verb, int container, const std::string& more,
                        std::chrono::milliseconds timeout = std::chrono::seconds{120});
  /// The code of a failed verb, which has to be one of those; 0 where it succeeded; -1 where the answer is unfit.
  int judge(const std::string& what, const support::Outcome& outcome, const std::string& allowed);

  int number_;
  std::mt19937_64 random_;
  std::map<int, Container> containers_;
};

}  // namespace storm
