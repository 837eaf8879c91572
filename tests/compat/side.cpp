#include "tests/compat/side.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <sys/mount.h>

#include "plugin/json/json.h"

#include "tests/support/scratch.h"

namespace support {
namespace {

namespace fs = std::filesystem;
using pons::json::Document;
using pons::json::Value;

const fs::path kProject = PONS_SOURCE_DIR;
const fs::path kOwn = kProject / "tests/compat";
constexpr const char* kNetDirectory = "/run/net.d";

std::string contentOf(const fs::path& path) {
  std::ifstream file{path};
  if (!file) throw std::runtime_error("no file " + path.string());
  return {std::istreambuf_iterator<char>{file}, {}};
}

Document parsed(const std::string& text) {
  auto document = Document::parse(text);
  if (!document) throw std::runtime_error(document.error().message + ": " + text);
  return std::move(document).value();
}

std::string textOf(Value value) { return std::string{value.string().value_or("")}; }

/// A result that begins with lo, without it. pons keeps the prevResult of a loopback plugin before it, as the
/// specification requires; the reference's bridge drops it, so that later interfaces have lower indexes.
std::string withoutLoopback(const std::string& result) {
  constexpr const char* kFilter = R"(if (.interfaces | length) > 1 and .interfaces[0].name == "lo" then
    .interfaces |= .[1:] | .ips |= map(select(.interface != 0) | .interface -= 1) else . end)";
  const Outcome filtered = run({"jq", kFilter}, {.environment = std::nullopt, .input = result});
  if (!filtered.ok()) throw std::runtime_error("jq: " + filtered.err);
  return filtered.out;
}

}  // namespace

std::string ourPlugins() {
  if (const char* chosen = std::getenv("PONS_COMPAT_PLUGINS")) return chosen;
  static const Scratch directory;
  static const std::string said = outputOf({kProject / "scripts/install", "--binary", PONS_BINARY, directory.path()});
  return directory.path();
}

std::string cnitoolPath() { return kProject / "build/tools/cnitool"; }

std::string standInPlugins() { return kOwn / "plugins"; }

bool canCompare() {
  return FakeHost::possible() && fs::exists(cnitoolPath()) && fs::exists(fs::path{kReferencePlugins} / "bridge");
}

bool Conflist::declares(const std::string& capability) const {
  return text.find('"' + capability + "\": true") != std::string::npos;
}

bool Conflist::masquerades() const { return text.find("\"ipMasq\": true") != std::string::npos; }

Conflist Conflist::at(const std::string& otherVersion) const {
  Conflist other = *this;
  const std::string before = '"' + version + '"';
  other.text.replace(other.text.find(before), before.size(), '"' + otherVersion + '"');
  other.version = otherVersion;
  return other;
}

Conflist conflist(const std::string& file) {
  const std::string text = contentOf(kOwn / "conflists" / file);
  const Document document = parsed(text);
  return {file, text, textOf(document["name"]), textOf(document["cniVersion"])};
}

Attached attachedBy(const std::string& netns, const std::string& result) {
  const Document document = parsed(result);
  Attached attached{netns, result, {}, {}};
  for (const Value& ip : document["ips"].items()) {
    const std::string address = textOf(ip["address"]);
    attached.addresses.push_back(address.substr(0, address.find('/')));
    attached.gateways.push_back(textOf(ip["gateway"]));
  }
  return attached;
}

Side::Side(std::string plugins) : plugins_(std::move(plugins)) {
  // libcni and the reference's host-local keep their files there.
  if (mount("tmpfs", "/var/lib", "tmpfs", MS_NOSUID | MS_NODEV, nullptr) != 0) {
    throw std::runtime_error("cannot mount a tmpfs on /var/lib");
  }
  fs::create_directory(kNetDirectory);
}

void Side::configure(const Conflist& list) {
  std::ofstream{fs::path{kNetDirectory} / list.file} << list.text;
  if (list.masquerades()) return;
  host.inside(outside, [] {
    outputOf({"ip", "route", "replace", "default", "via", "192.0.2.1"});
    return 0;
  });
}

std::vector<std::string> Side::environment() const {
  const char* path = std::getenv("PATH");
  return {std::string{"NETCONFPATH="} + kNetDirectory,
          "CNI_PATH=" + plugins_ + ":" + standInPlugins(),
          "CAP_ARGS=" + capabilities,
          "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=1-2",
          "CNI_IFNAME=" + ifName,
          std::string{"PATH="} + (path ? path : "/usr/sbin:/usr/bin:/sbin:/bin")};
}

Attached Side::attach(const Conflist& list, const std::string& container) {
  const std::string netns = host.addNamespace(container);
  const Outcome added = call("add", list, container);
  if (!added.ok()) throw std::runtime_error("ADD " + list.file + " " + container + ": " + added.out + added.err);
  return attachedBy(netns, withoutLoopback(added.out));
}

Outcome Side::call(const std::string& verb, const Conflist& list, const std::string& container) {
  return run({cnitoolPath(), verb, list.name, "/run/netns/" + container}, {.environment = environment(), .input = {}});
}

Outcome Side::callPlugin(const std::string& verb, const std::string& type, const std::string& config,
                         const std::string& container) {
  std::vector<std::string> environment = this->environment();
  environment.insert(environment.end(),
                     {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + container, "CNI_NETNS=/run/netns/" + container});
  return run({plugins_ + "/" + type}, {.environment = std::move(environment), .input = config});
}

Outcome Side::collect(const std::string& plugins, const std::string& type, const Conflist& list) const {
  const Document document = parsed(list.at("1.1.0").text);
  for (const Value& plugin : document["plugins"].items()) {
    if (textOf(plugin["type"]) != type) continue;
    const std::string config = plugin.text();
    return run({plugins + "/" + type},
               {.environment = std::vector<std::string>{"CNI_COMMAND=GC", "CNI_PATH=" + plugins},
                .input = R"({"cniVersion": "1.1.0", "name": ")" + list.name + "\", " + config.substr(1)});
  }
  throw std::runtime_error("no plugin " + type + " in " + list.file);
}

}  // namespace support
