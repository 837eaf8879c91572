#include "tests/bench/contest.h"

#include <algorithm>
#include <map>

#include "netlib/sysctl.h"

#include "tests/support/traffic.h"

namespace bench {

namespace {

constexpr unsigned kResidentPort = 9000;
constexpr unsigned kPort = 8000;
constexpr std::chrono::milliseconds kAMoment{10};

std::string hostOf(Subject subject) { return std::string{"/run/netns/host-of-"} + nameOf(subject); }

/// A namespace in the part of a host: with lo up, as a running machine has it.
std::string newHost(support::FakeHost& machine, Subject subject) {
  const std::string path = machine.addNamespace(std::string{"host-of-"} + nameOf(subject));
  machine.inside(path, [] { support::outputOf({"ip", "link", "set", "lo", "up"}); });
  return path;
}

/// Nothing else than what every program of this machine costs.
Cost startOfTrue() { return run({.argv = {"true"}, .environment = {}, .input = {}}).cost; }

std::vector<Subject> subjectsOf(unsigned round, const Plan& plan) {
  std::vector<Subject> subjects{Subject::Pons, Subject::Floor};
  const unsigned every = plan.referenceRuns == 0 ? 0 : std::max(plan.runs / plan.referenceRuns, 1U);
  if (every != 0 && round % every == 0) subjects.push_back(Subject::Reference);
  // Each comes first in its turn: what one leaves for the kernel to do later may slow the next.
  std::ranges::rotate(subjects, subjects.begin() + static_cast<std::ptrdiff_t>(round % subjects.size()));
  return subjects;
}

}  // namespace

Contest::Contest(bool withReference)
    : pons_(ponsChain(newHost(machine_, Subject::Pons), "/run/pons")),
      reference_(referenceChain(newHost(machine_, Subject::Reference), "/run/reference")),
      floor_(newHost(machine_, Subject::Floor)) {
  if (withReference) plugins_.push_back(Subject::Reference);
  for (const Subject subject : plugins_) furnish(subject);
  furnish(Subject::Floor);
}

/// A host that is in use: a container that stays, so that bridge, address and rules are there, and a tracked
/// connection, as an empty connection table makes some requests too cheap.
void Contest::furnish(Subject subject) {
  Container resident = newContainer(subject);
  resident.port = kResidentPort;
  if (subject == Subject::Floor) {
    ponsChain(hostOf(subject), "/run/floor").add(resident);
  } else {
    measure(subject, Verb::Add, resident);
  }
  machine_.inside(hostOf(subject),
                  [] { netlib::sysctl::write("net/netfilter/nf_conntrack_udp_timeout", "3600").value(); });
  // Nobody answers; the question alone is tracked.
  support::ask(resident.netns, support::Transport::Udp, support::endpoint("10.42.0.1", 9),
               {.source = std::nullopt, .timeout = kAMoment});
}

Container Contest::newContainer(Subject subject) {
  const std::string id = std::string{nameOf(subject)} + std::to_string(++containers_);
  // Never removed while measuring: the kernel would clean up behind it during the next samples.
  return {.id = id, .netns = machine_.addNamespace(id), .port = kPort};
}

Cost Contest::measure(Subject subject, Verb verb, Container& container) const {
  if (subject == Subject::Floor) {
    if (verb == Verb::Start) return startOfTrue();
    return verb == Verb::Add ? floor_.add(container) : floor_.del(container);
  }
  const Chain& chain = subject == Subject::Pons ? pons_ : reference_;
  if (verb == Verb::Start) return chain.start();
  return verb == Verb::Add ? chain.add(container) : chain.del(container);
}

void Contest::round(unsigned number, const std::vector<Subject>& subjects, Measurements& into) {
  std::map<Subject, Container> containers;
  for (const Subject subject : subjects) containers.emplace(subject, newContainer(subject));
  for (const Verb verb : kVerbs) {
    for (const Subject subject : subjects) {
      into.samples.push_back({number, subject, verb, measure(subject, verb, containers.at(subject))});
    }
  }
}

void Contest::count(Subject subject, Measurements& into) {
  const Chain& chain = subject == Subject::Pons ? pons_ : reference_;
  Container container = newContainer(subject);
  into.counts[{subject, Verb::Add}] = chain.countAdd(container);
  into.counts[{subject, Verb::Del}] = chain.countDel(container);
  into.counts[{subject, Verb::Start}] = chain.countStart();
}

Measurements Contest::hold(const Plan& plan) {
  Measurements warmUp;
  for (unsigned i = 0; i < plan.warmUp; ++i) round(i, subjectsOf(i, plan), warmUp);
  Measurements measurements;
  for (unsigned i = 0; i < plan.runs; ++i) round(i, subjectsOf(i, plan), measurements);
  for (const Subject subject : plugins_) count(subject, measurements);
  return measurements;
}

}  // namespace bench
