#include "plugin/verbs/serve.h"

#include <chrono>

#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/telemetry/trace.h"
#include "plugin/verbs/attach.h"
#include "plugin/verbs/ipam.h"
#include "plugin/verbs/loopback.h"
#include "plugin/verbs/network.h"

namespace pons {

using cni::ErrorCode;
using cni::Verb;

namespace {

netlib::Result<Host> openHost(const cni::Settings& settings) {
  auto ledger = TRY(Ledger::open(settings.stateDir, settings.lockTimeout));
  if (ledger.wasResetAfterReboot()) {
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
  if (!gone) log::error("the result was not taken, and taking back failed: " + gone.error().message);
}
void takeBack(const cni::NetworkRequest&) {}

const NetworkName& networkOf(const cni::Request& request) { return request.key.network; }
const NetworkName& networkOf(const cni::NetworkRequest& request) { return request.network; }

/// What the runtime said, as it said it: also where it makes no sense.
cni::Result<> tellLog(Verb verb, const cni::Environment& environment) {
  log::tell("verb", std::string{nameOf(verb)});
  log::tell("container", environment.containerId);
  log::tell("interface", environment.ifName);
  log::tell("netns", environment.netns);
  log::tell("traceparent", cni::traceParentOf(environment).value_or(""));
  const auto settings = cni::logSettings(environment);
  const bool needsNone = verb == Verb::Del || verb == Verb::Gc;
  if (!settings && needsNone) return {};  // the warning comes with those of the configuration
  const auto [level, target] = TRY(settings);
  log::configure(level, target);
  return {};
}

/// One verb at work: however it ends, it is logged and counted.
class Run {
 public:
  /// Nothing is counted where the directory is empty.
  Run(Verb verb, std::string stateDir) : verb_(verb), stateDir_(std::move(stateDir)) {}

  void settleIn(const cni::Settings& settings) {
    log::configure(settings.log.level, settings.log.target);
    stateDir_ = settings.stateDir;
  }

  Answer done(std::string out, std::function<void()> takeBack) const {
    log::info("done");
    count(0);
    return {0, std::move(out), {}, std::move(takeBack)};
  }

  Answer refused(const cni::Error& error, std::string_view version) const {
    const auto code = static_cast<unsigned>(error.code);
    log::tell("code", std::to_string(code));
    log::error(error.message + (error.details.empty() ? "" : ": " + error.details));
    count(code);
    return failed(error, version);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void count(unsigned code) const {
    if (stateDir_.empty()) return;
    tally::countVerb(stateDir_, verb_, code,
                     std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun_));
  }

  Verb verb_;
  std::string stateDir_;
  Clock::time_point begun_ = Clock::now();
};

/// Where a request is counted that does not say where its ledger is.
std::string stateDirIn(const cni::Environment& environment) {
  if (environment.stateDir.empty()) return cni::Settings{}.stateDir;
  return cni::parsePath(environment.stateDir).value_or("");
}

void warnOf(const std::vector<std::string>& ignored) {
  for (const std::string& what : ignored) log::warning(what + ": ignored, as it is not needed");
}

template <class Request>
Answer answerTo(const cni::Result<Request>& request, const std::string& input, Run& run) {
  if (!request) return run.refused(request.error(), cni::versionForErrors(input));
  run.settleIn(request->config.settings);
  warnOf(request->config.ignored);
  log::tell("network", networkOf(*request).toString());
  log::debug(input);
  trace::lap("read the request");
  auto done = work(*request);
  if (!done) return run.refused(done.error(), textOf(request->version));
  return run.done(std::move(done).value(), [request = *request] { takeBack(request); });
}

cni::Result<std::string> work(const cni::IpamRequest& request, cni::Applet applet) {
  return applet == cni::Applet::HostLocal ? hostLocal(request, cni::Settings{}.lockTimeout) : staticAddresses(request);
}

/// For another's main plugin, which has no settings for us.
Answer answerAsIpam(Verb verb, const cni::Environment& environment, const std::string& input) {
  const Run run{verb, {}};
  const auto request = cni::parseIpamRequest(verb, environment, input, nameOf(environment.applet));
  if (!request) return run.refused(request.error(), cni::versionForErrors(input));
  warnOf(request->ignored);
  auto done = work(*request, environment.applet);
  if (!done) return run.refused(done.error(), textOf(request->version));
  return run.done(std::move(done).value(), [undone = *request, applet = environment.applet]() mutable {
    undone.verb = Verb::Del;
    const auto gone = work(undone, applet);
    if (!gone) log::error("the result was not taken, and taking back failed: " + gone.error().message);
  });
}

}  // namespace

Answer failed(const cni::Error& error, std::string_view version) { return {1, printError(error, version), {}}; }

Answer serve(const cni::Environment& environment, const ReadInput& readInput) {
  const auto verb = verbOf(environment);
  if (!verb) return failed(verb.error(), textOf(cni::kNewestVersion));
  if (!*verb) return {0, {}, cni::aboutText(environment.applet)};
  if (**verb == Verb::Version) return {0, cni::printVersions(cni::oldestVersionOf(environment.applet)), {}};
  if (const auto told = tellLog(**verb, environment); !told) return failed(told.error(), textOf(cni::kNewestVersion));
  Run run{**verb, stateDirIn(environment)};
  const auto input = readInput();
  if (!input) return run.refused({ErrorCode::Io, input.error().message}, textOf(cni::kNewestVersion));
  if (environment.applet == cni::Applet::HostLocal || environment.applet == cni::Applet::Static) {
    return answerAsIpam(**verb, environment, *input);
  }
  if (**verb == Verb::Gc || **verb == Verb::Status) {
    return answerTo(cni::parseNetworkRequest(**verb, environment, *input), *input, run);
  }
  return answerTo(cni::parseRequest(**verb, environment, *input), *input, run);
}

}  // namespace pons
