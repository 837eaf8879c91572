#include "plugin/verbs/delegate.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "netlib/base/similar.h"
#include "netlib/base/text.h"
#include "netlib/base/utf8.h"
#include "netlib/os/program.h"

#include "plugin/telemetry/log.h"

namespace pons {

using cni::ErrorCode;
using cni::Verb;
using netlib::Program;

namespace {

/// A DHCP server may be slow; runtimes abort after two to four minutes.
constexpr std::chrono::minutes kTimeout{2};

constexpr std::size_t kMaxConfig = std::size_t{1} << 20;  // the record contains it

/// With the code of the CNI error, which the steps pass on unread.
netlib::Error programError(cni::Error error) {
  return {netlib::Cause::Program, static_cast<int>(error.code), std::move(error.message), std::move(error.details)};
}

netlib::Failure<netlib::Error> failed(ErrorCode code, std::string message, std::string details = {}) {
  return netlib::fail(programError({code, std::move(message), std::move(details)}));
}

std::vector<std::string> directoriesOf(std::string_view searchPath) {
  std::vector<std::string> directories;
  for (const std::string_view directory : netlib::split(searchPath, ':')) {
    if (!directory.empty()) directories.emplace_back(directory);
  }
  return directories;
}

/// Of the types that pons is itself, for a program that is not there.
std::string hintFor(const std::string& type) {
  const std::string_view similar = netlib::similarTo(type, {"host-local", "static", "pons"});
  return similar.empty() ? "" : ": did you mean \"" + std::string{similar} + "\"?";
}

netlib::Result<Program> findProgram(const std::string& type, const std::string& searchPath) {
  const std::vector<std::string> directories = directoriesOf(searchPath);
  if (directories.empty()) {
    return failed(ErrorCode::InvalidEnvironment, "required env variables [CNI_PATH] missing",
                  "ipam type " + type + " is a program in CNI_PATH");
  }
  auto program = Program::find(directories, type);
  if (program) return program;
  const std::string& message = program.error().message;
  if (program.failedWith(netlib::Cause::Unsafe)) {
    return netlib::fail(program.error().reworded("ipam type " + type + ": " + message));
  }
  return failed(ErrorCode::InvalidEnvironment, "ipam type " + type + " is not in CNI_PATH: " + message + hintFor(type));
}

/// The environment of the plugin, without the variables of the CNI call.
std::vector<std::string> inherited() {
  std::vector<std::string> variables;
  bool hasPath = false;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    hasPath = hasPath || name == "PATH";
    if (isPassedOn(name)) variables.emplace_back(text);
  }
  if (!hasPath) variables.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  return variables;
}

netlib::Error failureOf(const Program& program, const netlib::Outcome& outcome) {
  auto reported = cni::parseError(outcome.output);
  if (reported) {
    if (reported->details.empty()) reported->details = "reported by " + program.path();
    return programError(*std::move(reported));
  }
  constexpr std::size_t kMaxShown = 500;
  return {netlib::Cause::Program, 0, program.path() + " failed with status " + std::to_string(outcome.status),
          netlib::asUtf8((outcome.output + outcome.errors).substr(0, kMaxShown))};
}

/// The part of the attachment that is known before ADD of the plugin.
Attachment minimalAttachment(const cni::Request& request) {
  Attachment attachment = bareAttachment(request.key, request.config.bridge.name);
  attachment.delegated = request.config.delegated;
  return attachment;
}

/// Adds the result of the plugin to the request, as if the configuration contained it.
cni::Result<cni::Request> withResult(const cni::Request& request, const cni::AddResult& result) {
  if (result.addresses.empty()) {
    return cni::fail(ErrorCode::Internal, "IPAM plugin returned missing IP config",
                     "ipam type " + request.config.delegated->type + " returned no address");
  }
  cni::Request whole = request;
  for (const cni::Address& address : result.addresses) {
    if (address.gateway && address.gateway->family() != address.address.family()) {
      return cni::fail(ErrorCode::Decode, "IPAM plugin returned for " + address.address.toString() + " the gateway " +
                                              address.gateway->toString() + " of the other address family");
    }
    whole.config.addresses.fixed.push_back({address.address, address.gateway});
  }
  whole.config.routes = result.routes;
  if (whole.config.dns.empty()) whole.config.dns = result.dns;
  return whole;
}

}  // namespace

bool isPassedOn(std::string_view name) {
  constexpr std::array kCniVariables{"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",
                                     "CNI_IFNAME",  "CNI_ARGS",        "CNI_PATH"};
  // Variables of the dynamic linker and the C library (those that ld.so(8) ignores in secure-execution mode), of shells
  // and of interpreters.
  constexpr std::array kPrefixes{"LD_", "DYLD_", "MALLOC_", "BASH_FUNC_", "PYTHON", "PERL", "RUBY", "NODE_"};
  constexpr std::array kNames{"GLIBC_TUNABLES", "GCONV_PATH", "GETCONF_DIR", "HOSTALIASES", "LOCALDOMAIN",
                              "LOCPATH",        "NIS_PATH",   "NLSPATH",     "RES_OPTIONS", "RESOLV_HOST_CONF",
                              "TZDIR",          "TMPDIR",     "BASH_ENV",    "ENV",         "SHELLOPTS",
                              "BASHOPTS",       "PS4",        "IFS",         "CDPATH",      "GLOBIGNORE"};
  const auto begins = [name](std::string_view prefix) { return name.starts_with(prefix); };
  return std::ranges::find(kCniVariables, name) == kCniVariables.end() &&
         std::ranges::find(kNames, name) == kNames.end() && std::ranges::none_of(kPrefixes, begins);
}

Delegate::Delegate(const cni::Request& request)
    : verb_(request.verb),
      version_(request.version),
      key_(request.key),
      netnsPath_(request.netnsPath),
      plugin_(request.config.delegated),
      searchPath_(request.config.settings.pluginPath) {}

Delegate::Delegate(const cni::NetworkRequest& request)
    : verb_(request.verb),
      version_(request.version),
      plugin_(request.config.delegated),
      searchPath_(request.config.settings.pluginPath) {}

Delegate::Delegate(std::string searchPath)
    : verb_(Verb::Gc), version_(cni::kNewestVersion), searchPath_(std::move(searchPath)) {}

cni::Result<cni::Request> Delegate::add(const cni::Request& request) {
  if (!plugin_) return request;
  if (plugin_->config.size() > kMaxConfig) {
    return cni::fail(ErrorCode::InvalidConfig, "a network config for ipam type " + plugin_->type + " is larger than " +
                                                   std::to_string(kMaxConfig) + " bytes");
  }
  const auto whole = [&]() -> cni::Result<cni::Request> {
    const std::string output = TRY(run({Verb::Add, *plugin_, key_, netnsPath_}));
    return withResult(request, TRY(cni::parseIpamResult(output, version_)));
  }();
  if (!whole) {
    const auto freed = free(minimalAttachment(request));
    if (!freed)
      log::warning("rollback-failed",
                   "DEL after the failed ADD of ipam type " + plugin_->type + ": " + freed.error().message);
  }
  return whole;
}

netlib::Result<> Delegate::free(const Attachment& attachment) {
  auto freed = runFor(Verb::Del, attachment);
  if (!freed.failedWith(netlib::Cause::Unsafe)) return freed;
  // The runtime would call DEL again and again, with everything else of the container kept as well.
  log::error("lease-not-released",
             "the address of " + containerText(attachment) + " stays leased: " + freed.error().message);
  return {};
}

netlib::Result<> Delegate::check(const Attachment& attachment) { return runFor(Verb::Check, attachment); }

netlib::Result<> Delegate::runFor(Verb verb, const Attachment& attachment) const {
  const bool isThis = key_ == attachment.key;
  const bool current = isThis && verb == verb_ && plugin_ && plugin_->type == attachment.delegated->type;
  TRY(run({verb, current ? *plugin_ : *attachment.delegated, attachment.key, isThis ? netnsPath_ : std::string{}}));
  return {};
}

netlib::Result<> Delegate::callForNetwork() const {
  if (plugin_) TRY(run({verb_, *plugin_, std::nullopt, {}}));
  return {};
}

netlib::Result<std::string> Delegate::run(const Call& call) const {
  const Program program = TRY(findProgram(call.plugin.type, searchPath_));
  std::vector<std::string> environment = inherited();
  environment.push_back("CNI_COMMAND=" + std::string{nameOf(call.verb)});
  environment.push_back("CNI_PATH=" + searchPath_);
  environment.push_back("CNI_ARGS=" + call.plugin.args);
  if (call.key) {
    environment.push_back("CNI_CONTAINERID=" + call.key->container.toString());
    environment.push_back("CNI_IFNAME=" + call.key->ifName.toString());
    environment.push_back("CNI_NETNS=" + call.netnsPath);
  }
  const auto outcome =
      TRY(program.run({}, {.environment = std::move(environment), .input = call.plugin.config, .timeout = kTimeout}));
  if (!outcome.errors.empty()) log::info("ipam-output", program.path() + ": " + outcome.errors);
  if (outcome.status != 0) return netlib::fail(failureOf(program, outcome));
  return outcome.output;
}

}  // namespace pons
