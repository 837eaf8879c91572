#include "plugin/ctl/graph.h"

#include <array>

#include "netlib/os/program.h"

#include "plugin/ctl/commands.h"

namespace pons::ctl {

namespace {

using netlib::Program;

netlib::Result<Program> graphviz() {
  const std::array<std::string, 2> directories{"/usr/bin", "/usr/local/bin"};
  auto program = Program::find(directories, "dot");
  if (!program.failedWith(netlib::Cause::Missing)) return program;
  return netlib::fail(netlib::Cause::Missing,
                      "no program dot in /usr/bin or /usr/local/bin: install graphviz, or convert the output of "
                      "--format dot on another host");
}

netlib::Result<std::string> drawn(const std::string& dot) {
  const Program program = TRY(graphviz());
  const Program::Options options{
      .environment = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"}, .input = dot, .timeout = std::chrono::seconds{60}};
  auto outcome = TRY(program.run({"-Tsvg"}, options));
  if (outcome.status != 0) return netlib::fail(netlib::Cause::Program, program.path() + " failed: " + outcome.errors);
  return std::move(outcome.output);
}

}  // namespace

netlib::Result<Answer> graph(const Arguments& arguments) {
  const auto statuses = TRY(collectStatus(arguments));
  if (arguments.format == "text") return Answer{0, graphText(statuses, arguments.terminal), {}};
  std::string picture = graphDot(statuses);
  if (arguments.format == "svg") picture = TRY(drawn(picture));
  return Answer{0, std::move(picture), {}};
}

}  // namespace pons::ctl
