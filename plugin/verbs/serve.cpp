#include "plugin/verbs/serve.h"

#include <algorithm>
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

/// Where a rootless runtime, or a container, may not write below /run.
netlib::Result<Ledger> advised(netlib::Result<Ledger> ledger) {
  if (!ledger.failedWith(EACCES) && !ledger.failedWith(EPERM) && !ledger.failedWith(EROFS)) return ledger;
  return netlib::fail(ledger.error().reworded(
      ledger.error().message +
      ": set \"stateDir\", or PONS_STATE_DIR, to a directory that this user can write, or mount a tmpfs at /run"));
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
  auto ledger = TRY(advised(openLedger(verb, settings)));
  if (ledger.wasResetAfterReboot()) {
    log::warning("reboot", "state directory " + settings.stateDir +
                               " was written before the last reboot: its leases are discarded");
  }
  Host host = TRY(Host::open(std::move(ledger)));
  host.note = [](std::string_view event, const std::string& what) { log::warning(event, what); };
  return host;
}

void warnAboutMistakes(const std::vector<cni::UnknownKey>& mistakes) {
  for (const cni::UnknownKey& key : mistakes) {
    log::warning("unknown-key", "unknown key \"" + key.key + "\"" + key.hint(), {{"key", key.key}});
  }
}

/// After a failed ADD: a host has one state directory, and where another one is in use this ADD leaves none.
void leaveToOtherLedger(Host& host) {
  if (!host.ledger.wasCreated()) return;
  const std::string own = nameOfStateDir(host.ledger.path());
  const auto used = stateDirectoriesInUse();
  if (!used || std::ranges::all_of(*used, [&own](const std::string& one) { return one == own; })) return;
  const auto removed = host.ledger.removeIfCreated();
  if (!removed) log::warning("rollback-failed", "rollback: " + removed.error().message);
}

cni::Result<std::string> work(const cni::Request& request) {
  warnAboutMistakes(request.mistakes);
  if (request.applet == cni::Applet::Loopback) return serveLoopback(request);
  Host host = TRY(openHost(request.verb, request.config.settings));
  trace::timing("open ledger and sockets");
  if (request.verb == Verb::Add) {
    auto added = add(request, host);
    if (!added) leaveToOtherLedger(host);
    return added;
  }
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

using Ignored = std::vector<cni::Error>;

/// The values as received, even if invalid.
void setLogFields(Verb verb, const cni::Environment& environment) {
  log::setField("verb", std::string{nameOf(verb)});
  log::setField("container", environment.containerId);
  log::setField("ifname", environment.ifName);
  log::setField("netns", environment.netns);
  Ignored ignored;  // reported with the request's
  log::setField("pod", cni::decodePod(environment, ignored));
  log::setField("traceparent", cni::traceParentOf(environment).value_or(""));
}

/// Until the configuration is read; it has no settings of pons where pons is the IPAM plugin. What is wrong with
/// PONS_LOG.
Ignored startLog(const cni::Environment& environment) {
  Ignored ignored;
  log::configure(cni::logSettings(environment, {}, ignored));
  return ignored;
}

/// Logs and counts the outcome of a verb.
class Run {
 public:
  /// Counts nothing if `stateDir` is empty. `ignored` is reported by the first warnAboutIgnored().
  Run(Verb verb, std::string stateDir, Ignored ignored)
      : verb_(verb), stateDir_(std::move(stateDir)), ignored_(std::move(ignored)) {}

  void warnAboutIgnored(const Ignored& more = {}) {
    for (const Ignored* each : {&std::as_const(ignored_), &more}) {
      for (const cni::Error& error : *each) log::warning("ignored", error.message + ": ignored");
    }
    ignored_.clear();
  }

  void applySettings(const cni::Settings& settings) {
    log::configure(settings.log);
    stateDir_ = settings.stateDir;
  }

  Answer done(std::string out, std::function<void()> rollback) const {
    log::info("done", std::string{nameOf(verb_)} + " done");
    count(0);
    return {0, std::move(out), {}, std::move(rollback)};
  }

  Answer refused(const cni::Error& error, std::string_view version) {
    warnAboutIgnored();
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
  Ignored ignored_;
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
  log::setField("network", networkOf(*request).toString());
  run.warnAboutIgnored(request->config.ignored);
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
Answer answerAsIpam(Verb verb, const cni::Environment& environment, const std::string& input, Run& run) {
  const auto request = cni::parseIpamRequest(verb, environment, input, nameOf(environment.applet));
  if (!request) return run.refused(request.error(), cni::versionForErrors(input));
  run.warnAboutIgnored(request->ignored);
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
  const bool isIpam = environment.applet == cni::Applet::HostLocal || environment.applet == cni::Applet::Static;
  Run run{**verb, isIpam ? "" : stateDirIn(environment), startLog(environment)};
  const auto input = readInput();
  if (!input) return run.refused({ErrorCode::Io, input.error().message}, textOf(cni::kNewestVersion));
  if (isIpam) return answerAsIpam(**verb, environment, *input, run);
  if (**verb == Verb::Gc || **verb == Verb::Status) {
    return answerTo(cni::parseNetworkRequest(**verb, environment, *input), *input, run);
  }
  return answerTo(cni::parseRequest(**verb, environment, *input), *input, run);
}

}  // namespace pons
