#include "plugin/verbs/serve.h"

#include <chrono>

#include "plugin/cni/decode/requested.h"
#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/telemetry/trace.h"
#include "plugin/verbs/attach.h"
#include "plugin/verbs/ipam.h"
#include "plugin/verbs/loopback.h"
#include "plugin/verbs/network.h"
#include "plugin/verbs/state_directory.h"

namespace pons {

using cni::ErrorCode;
using cni::Verb;

namespace {

/// A state directory that does not exist although kernel objects carry its name.
netlib::Result<bool> isLost(const Ledger& ledger) {
  if (ledger.exists()) return false;
  return TRY(stateDirectoriesInUse()).contains(nameOfStateDir(ledger.path()));
}

/// Only an ADD creates the state directory. And the GC of a lost one: it needs the host lock, as an ADD may come while
/// it sweeps.
netlib::Result<Ledger> openLedger(Verb verb, const cni::Settings& settings) {
  if (verb == Verb::Add) return Ledger::open(settings.stateDir, settings.lockTimeout);
  auto ledger = TRY(Ledger::openIfPresent(settings.stateDir, settings.lockTimeout));
  const bool isCreated = verb == Verb::Gc && TRY(isLost(ledger));
  return isCreated ? Ledger::open(settings.stateDir, settings.lockTimeout) : netlib::Result<Ledger>{std::move(ledger)};
}

netlib::Result<Host> openHost(Verb verb, const cni::Settings& settings) {
  auto ledger = TRY(openLedger(verb, settings));
  if (ledger.wasResetAfterReboot()) {
    log::warning("reboot", "state directory " + settings.stateDir +
                               " was written before the last reboot: its leases are discarded");
  }
  Host host = TRY(Host::open(std::move(ledger)));
  host.note = [](const std::string& what) { log::warning("table-replaced", what); };
  return host;
}

void warnAboutMistakes(const std::vector<cni::UnknownKey>& mistakes) {
  for (const cni::UnknownKey& key : mistakes) {
    log::warning("unknown-key", "unknown key \"" + key.key + "\"" + key.hint(), {{"key", key.key}});
  }
}

cni::Result<std::string> work(const cni::Request& request) {
  warnAboutMistakes(request.mistakes);
  if (request.applet == cni::Applet::Loopback) return serveLoopback(request);
  Host host = TRY(openHost(request.verb, request.config.settings));
  trace::timing("open ledger and sockets");
  if (request.verb == Verb::Add) return add(request, host);
  TRY(request.verb == Verb::Del ? del(request, host) : check(request, host));
  return std::string{};
}

cni::Result<std::string> work(const cni::NetworkRequest& request) {
  auto host = openHost(request.verb, request.config.settings);
  // Without a ledger ADD would fail.
  if (!host && request.verb == Verb::Status) return cni::fail(ErrorCode::NotAvailable, host.error().message);
  Host opened = TRY(std::move(host));
  TRY(request.verb == Verb::Gc ? gc(request, opened) : status(request, opened));
  return std::string{};
}

/// Runs DEL.
void rollbackAdd(const cni::Request& request) {
  if (request.applet == cni::Applet::Loopback) return;  // harmless: runtimes set lo up themselves as well
  auto host = openHost(Verb::Del, request.config.settings);
  const auto undone = host ? del(request, *host) : cni::Result<>{netlib::fail(host.error())};
  if (!undone) log::error("rollback-failed", "cannot write the result, and rollback failed: " + undone.error().message);
}
void rollbackAdd(const cni::NetworkRequest&) {}

const NetworkName& networkOf(const cni::Request& request) { return request.key.network; }
const NetworkName& networkOf(const cni::NetworkRequest& request) { return request.network; }

void warnAboutIgnored(const std::vector<std::string>& ignored) {
  for (const std::string& what : ignored) log::warning("ignored", what + ": ignored");
}

/// The values as received, even if invalid.
void setLogFields(Verb verb, const cni::Environment& environment) {
  log::setField("verb", std::string{nameOf(verb)});
  log::setField("container", environment.containerId);
  log::setField("ifname", environment.ifName);
  log::setField("netns", environment.netns);
  std::vector<std::string> ignored;  // reported with the request's
  log::setField("pod", cni::decodePod(environment, ignored));
  log::setField("traceparent", cni::traceParentOf(environment).value_or(""));
}

/// Until the configuration is read; it has no settings of pons where pons is the IPAM plugin.
void startLog(const cni::Environment& environment) {
  std::vector<std::string> ignored;
  log::configure(cni::logSettings(environment, {}, ignored));
  warnAboutIgnored(ignored);
}

/// Logs and counts the outcome of a verb.
class Run {
 public:
  /// Counts nothing if `stateDir` is empty.
  Run(Verb verb, std::string stateDir) : verb_(verb), stateDir_(std::move(stateDir)) {}

  void applySettings(const cni::Settings& settings) {
    log::configure(settings.log);
    stateDir_ = settings.stateDir;
  }

  Answer done(std::string out, std::function<void()> rollback) const {
    log::info("done", std::string{nameOf(verb_)} + " done");
    count(0);
    return {0, std::move(out), {}, std::move(rollback)};
  }

  Answer refused(const cni::Error& error, std::string_view version) const {
    const auto code = static_cast<unsigned>(error.code);
    log::setField("code", std::to_string(code));
    log::error("failed", error.message + (error.details.empty() ? "" : ": " + error.details));
    count(code);
    return failed(error, version);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void count(unsigned code) const {
    if (stateDir_.empty()) return;
    counters::countVerb(stateDir_, verb_, code,
                        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun_));
  }

  Verb verb_;
  std::string stateDir_;
  Clock::time_point begun_ = Clock::now();
};

/// Where requests are counted whose configuration cannot be decoded.
std::string stateDirIn(const cni::Environment& environment) {
  if (environment.stateDir.empty()) return cni::Settings{}.stateDir;
  return cni::parsePath(environment.stateDir).value_or("");
}

template <class Request>
Answer answerTo(const cni::Result<Request>& request, const std::string& input, Run& run) {
  if (!request) return run.refused(request.error(), cni::versionForErrors(input));
  run.applySettings(request->config.settings);
  warnAboutIgnored(request->config.ignored);
  log::setField("network", networkOf(*request).toString());
  log::debug("request", input);
  trace::timing("read the request");
  auto done = work(*request);
  if (!done) return run.refused(done.error(), textOf(request->version));
  return run.done(std::move(done).value(), [request = *request] { rollbackAdd(request); });
}

cni::Result<std::string> work(const cni::IpamRequest& request, cni::Applet applet) {
  return applet == cni::Applet::HostLocal ? hostLocal(request, cni::Settings{}.lockTimeout) : staticAddresses(request);
}

/// The configuration of another main plugin has no settings of pons.
Answer answerAsIpam(Verb verb, const cni::Environment& environment, const std::string& input) {
  const Run run{verb, {}};
  const auto request = cni::parseIpamRequest(verb, environment, input, nameOf(environment.applet));
  if (!request) return run.refused(request.error(), cni::versionForErrors(input));
  warnAboutIgnored(request->ignored);
  warnAboutMistakes(request->mistakes);
  auto done = work(*request, environment.applet);
  if (!done) return run.refused(done.error(), textOf(request->version));
  return run.done(std::move(done).value(), [undone = *request, applet = environment.applet]() mutable {
    undone.verb = Verb::Del;
    const auto result = work(undone, applet);
    if (!result)
      log::error("rollback-failed", "cannot write the result, and rollback failed: " + result.error().message);
  });
}

}  // namespace

Answer failed(const cni::Error& error, std::string_view version) { return {1, printError(error, version), {}}; }

Answer serve(const cni::Environment& environment, const ReadInput& readInput) {
  const auto verb = verbOf(environment);
  if (!verb) return failed(verb.error(), textOf(cni::kNewestVersion));
  if (!*verb) return {0, {}, cni::aboutText(environment.applet)};
  if (**verb == Verb::Version) {
    const auto input = readInput();
    const std::string asked = cni::versionAskedIn(input ? *input : "");
    return {0, cni::printVersions(asked, cni::oldestVersionOf(environment.applet)), {}};
  }
  setLogFields(**verb, environment);
  startLog(environment);
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
