#include "plugin/serve.h"

#include "plugin/commands.h"
#include "plugin/ipam_commands.h"
#include "plugin/log.h"
#include "plugin/loopback.h"
#include "plugin/network_commands.h"
#include "plugin/trace.h"

namespace pons {

using cni::ErrorCode;
using cni::Verb;

namespace {

netlib::Result<Host> openHost(const cni::Settings& settings) {
  auto ledger = TRY(Ledger::open(settings.stateDir, settings.lockTimeout));
  if (ledger.startedAfresh()) {
    log::warning("the state directory " + settings.stateDir + " is of an earlier boot: its leases are void");
  }
  return Host::open(std::move(ledger));
}

cni::Result<std::string> work(const cni::Request& request) {
  if (request.applet == cni::Applet::Loopback) return serveLoopback(request);
  Host host = TRY(openHost(request.config.settings));
  trace::lap("open ledger and sockets");
  if (request.verb == Verb::Add) return add(request, host);
  TRY(request.verb == Verb::Del ? del(request, host) : check(request, host));
  return std::string{};
}

cni::Result<std::string> work(const cni::NetworkRequest& request) {
  auto host = openHost(request.config.settings);
  // Where there is no ledger to be had, no ADD can be served.
  if (!host && request.verb == Verb::Status) return cni::fail(ErrorCode::NotAvailable, host.error().message);
  Host opened = TRY(std::move(host));
  TRY(request.verb == Verb::Gc ? gc(request, opened) : status(request, opened));
  return std::string{};
}

/// What the runtime would do next, if it could.
void takeBack(const cni::Request& request) {
  if (request.applet == cni::Applet::Loopback) return;  // runtimes that call it bring lo up themselves as well
  auto host = openHost(request.config.settings);
  const auto gone = host ? del(request, *host) : cni::Result<>{netlib::fail(host.error())};
  if (!gone) log::error("take back ADD " + request.key.toString() + ": " + gone.error().message);
}
void takeBack(const cni::NetworkRequest&) {}

std::string subjectOf(const cni::Request& request) { return request.key.toString(); }
std::string subjectOf(const cni::NetworkRequest& request) { return request.network.toString(); }

template <class Request>
Answer answerTo(const cni::Result<Request>& request, const std::string& input) {
  if (!request) return failed(request.error(), cni::versionForErrors(input));
  log::configure(request->config.settings.logLevel, request->config.settings.logFile);

  const std::string event = std::string{nameOf(request->verb)} + " " + subjectOf(*request);
  trace::lap("read the request");
  auto done = work(*request);
  if (!done) {
    log::error(event + ": " + done.error().message);
    return failed(done.error(), textOf(request->version));
  }
  log::info(event + ": done");
  return {0, std::move(done).value(), {}, [request = *request] { takeBack(request); }};
}

cni::Result<std::string> work(const cni::IpamRequest& request, cni::Applet applet) {
  return applet == cni::Applet::HostLocal ? hostLocal(request, cni::Settings{}.lockTimeout) : staticAddresses(request);
}

/// For another's main plugin, which has no settings for us.
Answer answerAsIpam(Verb verb, const cni::Environment& environment, const std::string& input) {
  const auto request = cni::parseIpamRequest(verb, environment, input, nameOf(environment.applet));
  if (!request) return failed(request.error(), cni::versionForErrors(input));
  auto done = work(*request, environment.applet);
  if (!done) return failed(done.error(), textOf(request->version));
  return {0, std::move(done).value(), {}, [undone = *request, applet = environment.applet]() mutable {
            undone.verb = Verb::Del;
            const auto gone = work(undone, applet);
            if (!gone) log::error("take back an ADD: " + gone.error().message);
          }};
}

}  // namespace

Answer failed(const cni::Error& error, std::string_view version) { return {1, printError(error, version), {}}; }

Answer serve(const cni::Environment& environment, const ReadInput& readInput) {
  const auto verb = verbOf(environment);
  if (!verb) return failed(verb.error(), textOf(cni::kNewestVersion));
  if (!*verb) return {0, {}, cni::aboutText(environment.applet)};
  if (**verb == Verb::Version) return {0, cni::printVersions(cni::oldestVersionOf(environment.applet)), {}};
  const auto input = readInput();
  if (!input) return failed(cni::Error{ErrorCode::Io, input.error().message}, textOf(cni::kNewestVersion));
  if (environment.applet == cni::Applet::HostLocal || environment.applet == cni::Applet::Static) {
    return answerAsIpam(**verb, environment, *input);
  }
  if (**verb == Verb::Gc || **verb == Verb::Status) {
    return answerTo(cni::parseNetworkRequest(**verb, environment, *input), *input);
  }
  return answerTo(cni::parseRequest(**verb, environment, *input), *input);
}

}  // namespace pons
