// Each example of the manual pages is run on a fake host, and prints what the page shows.
#include "tests/support/examples.h"

#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const fs::path kPages = fs::path{PONS_SOURCE_DIR} / "scripts/man";
constexpr const char* kEnd = "end-of-example";

/// The host of the examples: network demo with two pods, the first of which serves its published port, and in the
/// working directory old.conflist.
constexpr const char* kHost = R"(exec 2>&1
set -e
mkdir -p /run/etc-new /run/etc-work /run/examples
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc-new,workdir=/run/etc-work /etc
rm -rf /etc/cni/net.d && mkdir -p /etc/cni/net.d
cd /run/examples
cat >/etc/cni/net.d/10-demo.conflist <<'END'
{"cniVersion": "1.0.0", "name": "demo", "plugins": [
  {"type": "pons", "ipam": {"subnet": "10.42.0.0/24"}, "capabilities": {"portMappings": true}}]}
END
cat >old.conflist <<'END'
{"cniVersion": "1.0.0", "name": "old", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "subnet": "10.88.0.0/16"}},
  {"type": "portmap", "capabilities": {"portMappings": true},
   "conditionsV4": ["!", "-d", "192.0.2.0/24"]}]}
END
attach() {
  ip netns add "$1"
  jq "{cniVersion, name} + .plugins[0] + {runtimeConfig: {portMappings: [$4]}}" /etc/cni/net.d/10-demo.conflist |
    CNI_COMMAND=ADD CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$1 CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni \
      CNI_ARGS="IgnoreUnknown=1;IP=$3;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$1-0" pons >/dev/null
}
attach web 3f9a41d0c2b75e68 10.42.0.7 '{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}'
attach db 81c06e2f9d3a4b57 10.42.0.8 '{"hostPort": 5432, "containerPort": 5432, "protocol": "tcp", "hostIP": "127.0.0.1"}'
ip netns exec web socat TCP4-LISTEN:80,fork,reuseaddr SYSTEM:'echo hello' </dev/null >/dev/null &
until ip netns exec web ss --no-header --tcp --listening --numeric | grep -q ':80 '; do sleep 0.05; done
export COLUMNS=72
set +e
)";

/// Those that exist on the fake host; of the others, which install software or are about services, none.
bool isRunHere(const std::string& command) {
  static const std::set<std::string> here{"CNI_COMMAND=ADD", "CNI_COMMAND=DEL", "export", "ip", "jq", "ls", "mv", "nft",
                                          "ponsctl",         "sysctl"};
  static const std::set<std::string> elsewhere{"/usr/share/pons/install", "apt", "journalctl"};
  const std::string program = command.substr(0, command.find(' '));
  if (here.contains(program)) return true;
  CHECK_MESSAGE(elsewhere.contains(program), "neither run nor known: " << command);
  return false;
}

/// The output of each command; all of them in one shell.
std::vector<std::string> printedBy(const std::vector<Example>& examples) {
  std::string script = kHost;
  script += std::string{"echo "} + kEnd + "\n";
  for (const Example& example : examples) {
    script += example.command + "\n";
    // The kernel deletes the links of an unused namespace later.
    if (example.command.starts_with("ip netns delete")) script += "sleep 1\n";
    script += std::string{"echo; echo "} + kEnd + "\n";
  }
  const std::string path =
      fs::path{PONS_BINARY}.parent_path().string() + ":" + fs::path{PONSCTL_BINARY}.parent_path().string();
  const Outcome outcome =
      run({"unshare", "--mount", "bash", "-s"},
          {.environment = std::vector<std::string>{"PATH=" + path + ":/usr/sbin:/usr/bin:/sbin:/bin"},
           .input = script,
           .timeout = std::chrono::minutes{2}});
  std::vector<std::string> parts;
  std::istringstream lines{outcome.out};
  std::string part;
  for (std::string line; std::getline(lines, line);) {
    if (line != kEnd) {
      part += line + "\n";
      continue;
    }
    while (part.ends_with("\n\n")) part.pop_back();
    parts.push_back(part == "\n" ? "" : std::exchange(part, {}));
    part.clear();
  }
  REQUIRE_MESSAGE(parts.size() == examples.size() + 1, outcome.out);
  CHECK(parts.front() == "");
  parts.erase(parts.begin());
  return parts;
}

void checkExamplesOf(const std::string& page) {
  CAPTURE(page);
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  std::vector<Example> examples = examplesOfManual(contentOf(kPages / page));
  std::erase_if(examples, [](const Example& example) { return !isRunHere(example.command); });
  REQUIRE(!examples.empty());
  const std::vector<std::string> printed = printedBy(examples);
  for (std::size_t i = 0; i < examples.size(); ++i) CHECK(differenceOf(examples[i], printed[i]) == "");
}

}  // namespace

TEST_CASE("the examples of each manual page print what it shows") {
  for (const fs::directory_entry& page : fs::directory_iterator{kPages}) checkExamplesOf(page.path().filename());
}

TEST_CASE("the network configurations in the manual pages are valid") {
  std::size_t checked = 0;
  for (const fs::directory_entry& page : fs::directory_iterator{kPages}) {
    for (const std::string& block : literalBlocksOf(contentOf(page.path()))) {
      if (!block.starts_with("{")) continue;
      const Scratch scratch;
      setContent(scratch / "x.conflist", block);
      const Outcome outcome = run({PONSCTL_BINARY, "explain", scratch / "x.conflist"});
      CHECK_MESSAGE(outcome.ok(), block << outcome.out << outcome.err);
      CHECK_MESSAGE(!contains(outcome.out, "unknown key"), outcome.out);
      ++checked;
    }
  }
  CHECK(checked >= 5);
}
