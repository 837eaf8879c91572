#include "tests/storm/client.h"

#include "plugin/json/json.h"

#include "tests/storm/setup.h"

namespace storm {

using pons::json::Document;
using support::Outcome;

namespace {

/// The documented codes that a verb may fail with where nothing is wrong.
constexpr const char* kNone = "";
constexpr const char* kPortTakenOrPoolExhausted = " 7 11 ";
constexpr const char* kAlreadyAttached = " 100 ";
constexpr const char* kAnyOfAdd = " 7 11 100 ";
constexpr const char* kOfStatus = " 50 51 ";
/// The kernel interrupts a dump of the links while others come and go.
constexpr const char* kOfGc = " 11 ";

void complain(const std::string& what, const Outcome& outcome) {
  note(kViolations, what + ": exit code " + std::to_string(outcome.exitCode) + ", signal " +
                        std::to_string(outcome.signal) + ", " + outcome.out + outcome.err);
}

}  // namespace

void Client::runUntil(std::chrono::steady_clock::time_point end) {
  for (int container = number_; container < kContainers; container += kClients) containers_[container];
  while (std::chrono::steady_clock::now() < end) doSomething();
}

void Client::doSomething() {
  const auto chosen = std::next(containers_.begin(), below(static_cast<int>(containers_.size())));
  const int dice = below(100);
  if (dice < 35) return add(chosen->first);
  if (dice < 60) return del(chosen->first);
  if (dice < 75) return check(chosen->first);
  if (dice < 92) return kill(dice < 84 ? "ADD" : "DEL", chosen->first);
  callForNetwork(dice < 96 ? "GC" : "STATUS", below(static_cast<int>(kNetworks.size())));
}

std::string Client::randomPorts() {
  std::string mappings;
  for (int count = below(3); count > 0; --count) {
    mappings += std::string{mappings.empty() ? "" : ", "} + R"({"containerPort": 80, "hostPort": )" +
                std::to_string(8000 + below(24)) + R"(, "protocol": ")" + (below(2) == 0 ? "tcp" : "udp") +
                R"(", "hostIP": ")" + (below(4) == 0 ? "192.0.2.1" : "") + R"("})";
  }
  return R"("runtimeConfig": {"portMappings": [)" + mappings + "]}";
}

Outcome Client::call(const std::string& verb, int container, const std::string& more,
                     std::chrono::milliseconds timeout) {
  return support::run({PONS_BINARY}, {.environment = {{"CNI_COMMAND=" + verb, "CNI_IFNAME=eth0", "CNI_PATH=/",
                                                       "CNI_CONTAINERID=" + containerName(container),
                                                       "CNI_NETNS=" + netnsOf(container)}},
                                      .input = configOf(networkOf(container), more),
                                      .timeout = timeout});
}

int Client::judge(const std::string& what, const Outcome& outcome, const std::string& allowed) {
  int code = 0;
  bool fit = outcome.signal == 0;
  if (!outcome.ok() || what.starts_with("ADD")) {
    const auto document = Document::parse(outcome.out);
    fit &= document.ok();
    if (fit && !outcome.ok()) code = static_cast<int>((*document)["code"].integer().value_or(-1));
    fit &= outcome.ok() || allowed.find(" " + std::to_string(code) + " ") != std::string::npos;
  } else {
    fit &= outcome.out.empty();
  }
  if (!fit) complain(what, outcome);
  note(kOperations, what.substr(0, what.find(' ')) + " " + std::to_string(code));
  return fit ? code : -1;
}

void Client::add(int container) {
  Container& mine = containers_[container];
  const Outcome outcome = call("ADD", container, randomPorts());
  const std::string allowed = mine.state == State::Attached ? kAlreadyAttached
                              : mine.state == State::Absent ? kPortTakenOrPoolExhausted
                                                            : kAnyOfAdd;
  const int code = judge("ADD " + containerName(container), outcome, allowed);
  if (mine.state == State::Attached && code == 0) complain("ADD twice of " + containerName(container), outcome);
  if (code == 0) mine = {State::Attached, outcome.out};
  // A failed one leaves nothing, and first undoes what a killed one left; but a committed one stays.
  if (code == 7 || code == 11) mine = {State::Absent, {}};
}

void Client::del(int container) {
  const Outcome outcome = call("DEL", container, {});
  if (judge("DEL " + containerName(container), outcome, kNone) == 0) containers_[container] = {State::Absent, {}};
}

void Client::check(int container) {
  const Container& mine = containers_[container];
  if (mine.state != State::Attached) return;
  judge("CHECK " + containerName(container), call("CHECK", container, R"("prevResult": )" + mine.result), kNone);
}

void Client::callForNetwork(const std::string& verb, int network) {
  const Outcome outcome =
      support::run({PONS_BINARY}, {.environment = {{"CNI_COMMAND=" + verb, "CNI_PATH=/"}},
                                   .input = configOf(kNetworks.at(static_cast<std::size_t>(network))),
                                   .timeout = std::chrono::seconds{120}});
  judge(verb + " " + std::to_string(network), outcome, verb == "STATUS" ? kOfStatus : kOfGc);
}

void Client::kill(const std::string& verb, int container) {
  Container& mine = containers_[container];
  if (verb == "ADD" && mine.state == State::Attached) return;
  const Outcome outcome =
      call(verb, container, verb == "ADD" ? randomPorts() : "", std::chrono::milliseconds{below(80)});
  note(kOperations, verb + (outcome.timedOut ? " killed" : " too fast to be killed"));
  mine = {State::Unknown, {}};
}

}  // namespace storm
