// ponsctl, the program for administrators: prints the answer of one command.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string_view>

#include <unistd.h>

#include "netlib/os/confinement.h"
#include "netlib/os/file.h"

#include "plugin/ctl/commands.h"

namespace {

/// The other commands repair with iptables-legacy, free addresses through IPAM plugins, or draw with graphviz. The
/// command is the first word: the command line has no options before it.
netlib::Programs programsOf(std::string_view command) {
  constexpr std::array<std::string_view, 8> kAlone{"list",   "show",  "networks", "explain",
                                                   "doctor", "probe", "metrics",  "policy"};
  return std::ranges::find(kAlone, command) != kAlone.end() ? netlib::Programs::None : netlib::Programs::Some;
}

pons::Answer answer(int argc, char** argv) {
  try {
    const auto confined = netlib::confine(programsOf(argc > 1 ? argv[1] : ""));
    if (!confined) return {EXIT_FAILURE, {}, "ponsctl: " + confined.error().message + "\n"};
    const auto environment = pons::cni::Environment::read([](const char* key) { return std::getenv(key); });
    return pons::ctl::run(argc, argv, environment);
  } catch (const std::exception& problem) {
    return {EXIT_FAILURE, {}, std::string{"ponsctl: "} + problem.what() + "\n"};
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A closed pipe is then a failed write (EPIPE) with exit code 1.
  std::signal(SIGPIPE, SIG_IGN);
  const pons::Answer result = answer(argc, argv);
  static_cast<void>(netlib::writeAll(STDERR_FILENO, result.err, "stderr"));
  return netlib::writeAll(STDOUT_FILENO, result.out, "stdout") ? result.exitCode : EXIT_FAILURE;
}
