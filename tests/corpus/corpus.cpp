// The inputs that are kept for fuzzing, and those that it once found, hold what their targets promise.
#include <filesystem>
#include <iterator>
#include <map>

#include <doctest/doctest.h>

#include "tests/fuzz/targets.h"
#include "tests/support/text.h"

using support::contentOf;

namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path{PONS_SOURCE_DIR} / "tests/fuzz/corpus";

const std::map<std::string, void (*)(std::string_view)> kTargets{
    {"addresses", fuzz::addresses}, {"cni_args", fuzz::cniArgs},
    {"config", fuzz::config},       {"host_local", fuzz::hostLocal},
    {"names", fuzz::names},         {"netlink", fuzz::netlink},
    {"network", fuzz::network},     {"prev_result", fuzz::prevResult},
    {"record", fuzz::record},       {"resolv_conf", fuzz::resolvConf}};

}  // namespace

TEST_CASE("every input of the corpus holds what its target promises") {
  for (const auto& [name, target] : kTargets) {
    CAPTURE(name);
    int inputs = 0;
    for (const fs::directory_entry& file : fs::directory_iterator{kCorpus / name}) {
      CHECK_NOTHROW_MESSAGE(target(contentOf(file.path())), file.path().filename().string());
      ++inputs;
    }
    CHECK(inputs > 0);
  }
}

TEST_CASE("every directory of the corpus has a target") {
  for (const fs::directory_entry& directory : fs::directory_iterator{kCorpus}) {
    CHECK_MESSAGE(kTargets.contains(directory.path().filename()), directory.path().string());
  }
}
