// ponsctl: the commands for administrators.
#include <csignal>
#include <cstdlib>
#include <exception>

#include <unistd.h>

#include "netlib/os/file.h"

#include "plugin/ctl/tool.h"

namespace {

pons::Answer answer(int argc, char** argv) {
  try {
    const auto environment = pons::cni::Environment::read([](const char* key) { return std::getenv(key); });
    return pons::tools::runTool(argc, argv, environment);
  } catch (const std::exception& problem) {
    return {EXIT_FAILURE, {}, std::string{"ponsctl: "} + problem.what() + "\n"};
  }
}

}  // namespace

int main(int argc, char** argv) {
  // The failed write is reported as any other.
  std::signal(SIGPIPE, SIG_IGN);
  const pons::Answer result = answer(argc, argv);
  static_cast<void>(netlib::writeAll(STDERR_FILENO, result.err, "stderr"));
  return netlib::writeAll(STDOUT_FILENO, result.out, "stdout") ? result.exitCode : EXIT_FAILURE;
}
