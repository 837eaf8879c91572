// ponsctl, the program for administrators: prints the answer of one command.
#include <csignal>
#include <cstdlib>
#include <exception>

#include <unistd.h>

#include "netlib/os/file.h"

#include "plugin/ctl/commands.h"

namespace {

pons::Answer answer(int argc, char** argv) {
  try {
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
