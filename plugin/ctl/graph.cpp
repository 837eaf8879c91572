#include "plugin/ctl/graph.h"

#include <array>

#include "netlib/os/program.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"

namespace pons::tools {

namespace {

using netlib::Program;

netlib::Result<Program> graphviz() {
  const std::array<std::string, 2> directories{"/usr/bin", "/usr/local/bin"};
  auto program = Program::find(directories, "dot");
  if (!program.failedWith(ENOENT)) return program;
  return netlib::fail(ENOENT,
                      "there is no program dot in /usr/bin or /usr/local/bin, which draws: install graphviz, "
                      "or take what --format dot prints elsewhere");
}

netlib::Result<std::string> drawn(const std::string& dot) {
  const Program program = TRY(graphviz());
  const Program::Options options{
      .environment = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"}, .input = dot, .timeout = std::chrono::seconds{60}};
  auto outcome = TRY(program.run({"-Tsvg"}, options));
  if (outcome.status != 0) return netlib::fail(EIO, program.path() + " failed: " + outcome.errors);
  return std::move(outcome.output);
}

/// Only graphviz may be run here.
netlib::Result<std::vector<Item>> stockOf(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  if (!host) return std::vector<Item>{};
  host->runsPrograms = false;
  return takeStock(*host);
}

}  // namespace

Answer graph(const Arguments& arguments) {
  const auto stock = stockOf(arguments);
  if (!stock) return failure("graph", stock.error());
  std::string dot = graphDot(*stock);
  if (arguments.format == "dot") return {0, std::move(dot), {}};
  auto picture = drawn(dot);
  if (!picture) return failure("graph", picture.error());
  return {0, std::move(*picture), {}};
}

}  // namespace pons::tools
