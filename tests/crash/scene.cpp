#include "tests/crash/scene.h"

#include <cstdlib>

#include <doctest/doctest.h>

namespace support {
namespace {

PlanCase fullCase() { return planCases().at(1); }

std::vector<std::string> environmentOf(const std::string& verb) {
  return {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=c1", "CNI_NETNS=/run/netns/c1", "CNI_IFNAME=eth0",
          "CNI_PATH=/opt/cni/bin"};
}

}  // namespace

Scene::Scene(FakeHost& host, Neighbour neighbour) : host_(host) {
  prepare(host, fullCase());
  empty_ = dumpAll(host);
  if (neighbour == Neighbour::Living) {
    auto added = otherRuntimeOf(fullCase()).add("other");
    REQUIRE(added.ok());
    neighbour_ = std::move(*added);
  }
  before_ = dumpAll(host);
}

Scene::~Scene() {
  if (neighbour_) CHECK(otherRuntimeOf(fullCase()).del("other").ok());
  CHECK(difference(empty_, dumpAll(host_)) == "");
}

TracedOutcome Scene::meddled(const std::string& verb, const Interference& interference) const {
  return runTraced({PONS_BINARY}, {.environment = environmentOf(verb), .input = input(verb)}, interference);
}

Outcome Scene::call(const std::string& verb) const {
  return run({PONS_BINARY}, {.environment = environmentOf(verb), .input = input(verb)});
}

void Scene::must(const std::string& verb) const {
  const Outcome outcome = call(verb);
  REQUIRE_MESSAGE(outcome.ok(), verb << ": " << outcome.out << outcome.err);
}

void Scene::checkUntouched() const {
  CHECK(difference(before_, dumpAll(host_)) == "");
  if (!neighbour_) return;
  const auto checked = otherRuntimeOf(fullCase()).check("other", *neighbour_);
  CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
}

void Scene::checkWorking(const std::string& result) const {
  const auto checked = runtimeOf(fullCase()).check("c1", result);
  CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
}

std::string Scene::input(const std::string& verb) const {
  if (verb != "GC") return demoConfig(fullCase().members);
  const std::string valid = neighbour_ ? R"({"containerID": "other", "ifname": "eth0"})" : "";
  return demoConfig(fullCase().members + R"(, "cni.dev/valid-attachments": [)" + valid + "]");
}

bool wantsAll() {
  const char* wish = std::getenv("PONS_TEST_LONG");
  return wish != nullptr && std::string{wish} == "1";
}

}  // namespace support
