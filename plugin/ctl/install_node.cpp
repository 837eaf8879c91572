// ponsctl install-node: prepares a Kubernetes node; the init container of scripts/kubernetes/pons.yaml runs it at each
// start of the pod. Nothing is synced to the disk: what a power failure loses, the next start writes again.
#include <chrono>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "netlib/base/text.h"
#include "netlib/base/unique_fd.h"
#include "netlib/os/child.h"
#include "netlib/os/file.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/node_api.h"
#include "plugin/json/json.h"

namespace pons::ctl {

namespace {

namespace fs = std::filesystem;

using netlib::Cause;
using Clock = std::chrono::steady_clock;
using Cidrs = std::vector<std::string>;

constexpr std::chrono::seconds kBetweenQuestions{2};
constexpr std::chrono::seconds kPatience{10};  // for a program that prints its versions
constexpr std::size_t kMaxProgram = std::size_t{256} << 20;
// CRI-O's own 10-crio-bridge sorts before 10-pons, the name that earlier versions wrote.
constexpr const char* kConflist = "00-pons.conflist";
constexpr const char* kFormerConflist = "10-pons.conflist";

void say(const std::string& what) {
  static_cast<void>(netlib::writeAll(STDERR_FILENO, linesOf("install-node", {what}), "stderr"));
}

Cidrs listed(const std::string& text) {
  Cidrs cidrs;
  for (const std::string_view part : netlib::split(text, ',')) {
    for (const std::string_view word : netlib::words(part)) cidrs.emplace_back(word);
  }
  return cidrs;
}

std::string joinedCidrs(const Cidrs& cidrs) {
  std::string text;
  for (const std::string& cidr : cidrs) text += (text.empty() ? "" : ",") + cidr;
  return text;
}

/// Asks until the node has some: a new node's are assigned after its registration.
netlib::Result<Cidrs> awaitPodCidrs(const NodeArguments& node) {
  const auto giveUp = Clock::now() + node.patience;
  for (std::string last;;) {
    auto cidrs = podCidrsOf(node.name, node.api);
    if (cidrs || cidrs.failedWith(Cause::Invalid) || Clock::now() >= giveUp) return cidrs;
    if (cidrs.error().message != last) say((last = cidrs.error().message) + "; trying again");
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

netlib::Result<std::string> programAt(const fs::path& file) {
  const netlib::UniqueFd fd{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return netlib::failErrno("open " + file.string());
  return netlib::readRegular(fd.get(), kMaxProgram, file);
}

/// Both, from the directory of this one. ponsctl first, since pons executes it.
netlib::Result<> installPrograms(const fs::path& directory) {
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return netlib::fail(netlib::Error::fromErrno("read /proc/self/exe", error.value()));
  for (const char* name : {"ponsctl", "pons"}) {
    const std::string content = TRY(programAt(own / name));
    const auto installed = programAt(directory / name);
    if (!installed || *installed != content) TRY(replaceFile(directory / name, content, 0755));
  }
  // containerd calls the plugin "loopback" for every pod.
  const std::string loopback = directory / "loopback";
  if (symlink("pons", loopback.c_str()) != 0 && errno != EEXIST) return netlib::failErrno("create " + loopback);
  return {};
}

/// A node that is ready with a plugin that cannot be executed there would start no pod.
netlib::Result<> tryPlugin(const std::string& plugin) {
  const auto run = [&]() -> netlib::Result<netlib::Outcome> {
    auto child = TRY(netlib::Child::start(plugin, {plugin}, {"CNI_COMMAND=VERSION"}, "{\"cniVersion\":\"1.0.0\"}"));
    return child.await(kPatience, netlib::Program::kMaxOutput);
  };
  const auto outcome = run();
  if (outcome && outcome->status == 0) return {};
  const std::string why = outcome ? "exit status " + std::to_string(outcome->status) : outcome.error().message;
  return netlib::fail(Cause::Program, "this node cannot run " + plugin +
                                          ": check the image's architecture and the file system's noexec option (" +
                                          why + ")");
}

bool isOfPons(const cni::Result<NetworkConf>& conf) { return conf && conf->plugins.front().type == "pons"; }

/// Of the conflist in use, if it is of pons: a runtime calls DEL with the name of today, and the pods that run have
/// that.
std::string networkName(const fs::path& directory) {
  for (const char* file : {kConflist, kFormerConflist}) {
    const auto conf = readConf(directory / file);
    if (isOfPons(conf) && !conf->name.empty()) return conf->name;
  }
  return "pods";
}

void writeList(json::Writer& writer, std::string_view key, const Cidrs& items) {
  writer.key(key).beginArray();
  for (const std::string& item : items) writer.value(item);
  writer.endArray();
}

std::string conflistOf(const std::string& name, const Cidrs& own, const Cidrs& cluster) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().member("cniVersion", "1.0.0");
  writeList(writer, "cniVersions", {"1.0.0", "1.1.0"});  // then runtimes that know 1.1.0 call STATUS and GC
  writer.member("name", name).key("plugins").beginArray();
  writer.beginObject().member("type", "pons").member("mtu", "auto");
  writeList(writer, "ipMasqExclude", cluster);
  writer.key("ipam").beginObject().key("ranges").beginArray();
  for (const std::string& subnet : own) {
    writer.beginArray().beginObject().member("subnet", subnet).endObject().endArray();
  }
  writer.endArray().endObject();
  writer.key("capabilities").beginObject().member("portMappings", true).member("bandwidth", true).endObject();
  writer.endObject().endArray().endObject();
  return writer.text() + "\n";
}

/// A node that is ready with an invalid network would start no pod.
netlib::Result<> validate(const std::string& conflist, const Arguments& arguments, const Cidrs& own) {
  const auto why = [&](const cni::Error& error) {
    return netlib::fail(Cause::Invalid,
                        "cannot make a network of the pod CIDRs " + joinedCidrs(own) + ": " + error.message);
  };
  const auto conf = parseConf(conflist, kConflist);
  if (!conf) return why(conf.error());
  for (const PluginConf& plugin : conf->plugins) {
    const auto request = exampleAdd(plugin, arguments.stateDir);
    if (!request) return why(request.error());
  }
  return {};
}

/// An unchanged one is not written, since runtimes watch the directory.
netlib::Result<std::string> writeConflist(const Arguments& arguments, const Cidrs& own) {
  const fs::path directory{arguments.configDir};
  const std::string file = directory / kConflist;
  const std::string wanted = conflistOf(networkName(directory), own, listed(arguments.node.clusterCidrs));
  TRY(validate(wanted, arguments, own));
  const auto current = readText(file);
  if (current && *current == wanted) return file + " is up to date, for " + joinedCidrs(own) + "\n";
  TRY(replaceFile(file, wanted, 0644));
  return "wrote " + file + " for " + joinedCidrs(own) + "\n";
}

/// Once the new one is there, so that the node always has a network.
netlib::Result<> removeFormer(const fs::path& directory) {
  const std::string former = directory / kFormerConflist;
  if (!isOfPons(readConf(former)) || unlink(former.c_str()) == 0) return {};
  return netlib::failErrno("remove " + former);
}

}  // namespace

netlib::Result<Answer> installNode(const Arguments& arguments) {
  const NodeArguments& node = arguments.node;
  const Cidrs own = node.podCidrs.empty() ? TRY(awaitPodCidrs(node)) : listed(node.podCidrs);
  TRY(installPrograms(node.pluginDir));
  TRY(tryPlugin(node.pluginDir + "/pons"));
  // The conflist last: it makes the node ready.
  const std::string done = TRY(writeConflist(arguments, own));
  TRY(removeFormer(arguments.configDir));
  return Answer{0, done, {}};
}

}  // namespace pons::ctl
