#include "plugin/serve.h"

#include "plugin/commands.h"
#include "plugin/log.h"

namespace pons {

using cni::ErrorCode;
using cni::Verb;

namespace {

/// What a runtime shows (and nerdctl reads) when the program is called without a command.
std::string about() {
  return "CNI pons plugin v" PONS_VERSION "\nCNI protocol versions supported: " + cni::listedVersions() + "\n";
}

cni::Result<std::string> work(const cni::Request& request) {
  const cni::Settings& settings = request.config.settings;
  auto ledger = TRY(Ledger::open(settings.stateDir, settings.lockTimeout));
  if (ledger.startedAfresh()) {
    log::warning("the state directory " + settings.stateDir + " is of an earlier boot: its leases are void");
  }
  Host host = TRY(Host::open(std::move(ledger)));
  switch (request.verb) {
    case Verb::Add:
      return add(request, host);
    case Verb::Del:
      TRY(del(request, host));
      return std::string{};
    default:
      TRY(check(request, host));
      return std::string{};
  }
}

Answer serveAttachment(Verb verb, const cni::Environment& environment, const std::string& input) {
  const auto request = cni::parseRequest(verb, environment, input);
  if (!request) return failed(request.error(), cni::versionForErrors(input));
  log::configure(request->config.settings.logLevel, request->config.settings.logFile);

  const std::string event = std::string{nameOf(verb)} + " " + request->key.toString();
  auto done = work(*request);
  if (!done) {
    log::error(event + ": " + done.error().message);
    return failed(done.error(), textOf(request->version));
  }
  log::info(event + ": done");
  return {0, std::move(done).value(), {}};
}

}  // namespace

Answer failed(const cni::Error& error, std::string_view version) { return {1, printError(error, version), {}}; }

Answer serve(const cni::Environment& environment, const ReadInput& readInput) {
  const auto verb = verbOf(environment);
  if (!verb) return failed(verb.error(), textOf(cni::kNewestVersion));
  if (!*verb) return {0, {}, about()};
  if (**verb == Verb::Version) return {0, cni::printVersions(), {}};
  if (**verb == Verb::Gc || **verb == Verb::Status) {
    return failed({ErrorCode::InvalidEnvironment,
                   "CNI_COMMAND " + std::string{nameOf(**verb)} + " is not supported by this version of pons"},
                  textOf(cni::kNewestVersion));
  }
  const auto input = readInput();
  if (!input) return failed(cni::Error{ErrorCode::Io, input.error().message}, textOf(cni::kNewestVersion));
  return serveAttachment(**verb, environment, *input);
}

}  // namespace pons
