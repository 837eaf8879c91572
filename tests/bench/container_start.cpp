#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/bench/experiments.h"
#include "tests/bench/turns.h"
#include "tests/support/own_cgroups.h"

namespace bench {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTop = "/run/bundles";
constexpr const char* kNetnsHere = "/run/netns/NAME";

/// What crun itself proposes, but for a process that ends at once in a namespace that is there.
std::string bundleTemplate() {
  fs::create_directories(std::string{kTop} + "/rootfs/bin");
  fs::copy_file("/bin/busybox", std::string{kTop} + "/rootfs/bin/true");
  return support::outputOf(
      {"sh", "-ec",
       std::string{"cd "} + kTop + "; crun spec; jq '.process.args = [\"/bin/true\"] | .process.terminal = false |" +
           ".root.path = \"" + kTop + "/rootfs\" |" + "(.linux.namespaces[] | select(.type == \"network\")).path = \"" +
           kNetnsHere + "\"' config.json"});
}

/// Its directory.
std::string makeBundle(std::string config, const Container& container) {
  const std::string directory = std::string{kTop} + "/" + container.id;
  fs::create_directories(directory);
  config.replace(config.find(kNetnsHere), std::string{kNetnsHere}.size(), container.netns);
  std::ofstream{directory + "/config.json"} << config;
  return directory;
}

Cost crunRun(const std::string& bundle, const std::string& id) {
  return run({.argv = {"crun", "--root", "/run/crun", "run", "--bundle", bundle, id},
              .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
              .input = {}})
      .cost;
}

class Starts {
 public:
  explicit Starts(Hosts& hosts) : hosts_(hosts), pons_(hosts.occupied("start", ponsChain).chain) {}

  Cost once(Subject subject) {
    Container container = hosts_.container();
    const std::string bundle = makeBundle(config_, container);
    Cost cost;
    if (subject == Subject::Pons) cost += pons_.add(container);
    cost += crunRun(bundle, container.id);
    if (subject == Subject::Pons) pons_.del(container);
    return cost;
  }

 private:
  Hosts& hosts_;
  Chain pons_;
  std::string config_ = bundleTemplate();
};

}  // namespace

void containerStart(const Effort& effort, Samples& into) {
  const support::OwnCgroups cgroups;
  Hosts hosts;
  cgroups.mountHere();
  Starts starts{hosts};
  const std::vector subjects{Subject::Pons, Subject::Baseline};
  for (unsigned i = 0; i < effort.warmUp(); ++i) {
    for (const Subject subject : subjects) starts.once(subject);
  }
  for (unsigned round = 0; round < effort.runs; ++round) {
    for (const Subject subject : rotated(subjects, round)) {
      into.add("container start", 0, "start", subject, round, starts.once(subject));
    }
  }
}

}  // namespace bench
