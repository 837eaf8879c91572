// The names by which show and probe find a container.
#include <algorithm>
#include <map>

#include "plugin/ctl/format.h"
#include "plugin/ctl/show.h"

namespace pons::ctl {

namespace {

/// By candidate: "network web", "default/web-0 (container 0123456789ab)".
using Candidates = std::map<std::string, std::vector<AttachmentKey>>;

std::string textOf(const Named& one) {
  return one.attachment ? containerText(*one.attachment) : "container " + one.key.container.toString();
}

bool isPort(const PortForward& forward, const std::string& name) {
  const std::string port = std::to_string(forward.hostPort);
  return name == port || name == port + "/" + std::string{nameOf(forward.protocol)};
}

/// What was asked for: a name, and the network namespace at that path, or of that name as in ip-netns(8), if there is
/// one on this host.
struct Wanted {
  std::string name;
  std::optional<NetnsId> netns;
};

Wanted wantedBy(const std::string& name) {
  const auto netns = netnsIdAt(name.starts_with('/') ? name : "/run/netns/" + name);
  return {name, netns ? *netns : std::nullopt};
}

/// By identity: runtimes write one namespace as /run/netns/c1, /var/run/netns/c1 or /proc/PID/ns/net. By the text of
/// the record where it cannot be seen from here.
bool isNetns(const Attachment& attachment, const Wanted& wanted) {
  if (wanted.netns && attachment.netns == *wanted.netns) return true;
  const std::string& path = attachment.netnsPath;
  if (path == wanted.name) return !wanted.netns;
  return !path.empty() && path.ends_with("/netns/" + wanted.name);
}

bool isPod(const std::string& pod, const std::string& name) {
  return !pod.empty() && (pod == name || pod.substr(pod.find('/') + 1) == name);
}

bool isNamed(const Named& one, const Wanted& wanted) {
  const std::string& name = wanted.name;
  if (hostVethName(one.key).toString() == name) return true;
  if (!one.attachment) return false;
  const Attachment& attachment = *one.attachment;
  const auto address = netlib::IpAddress::parse(name);
  const auto hasAddress = [&](const Lease& lease) {
    return lease.address.toString() == name || lease.address.address() == address;
  };
  return attachment.hostVeth.toString() == name || isPod(attachment.pod, name) || isNetns(attachment, wanted) ||
         std::ranges::any_of(attachment.leases, hasAddress) ||
         std::ranges::any_of(attachment.forwards, [&](const auto& forward) { return isPort(forward, name); });
}

/// The containers with an attachment for which that holds, with all of their attachments.
Candidates containersIf(const std::vector<Named>& all, const auto& holds) {
  std::map<ContainerId, std::string> texts;
  for (const Named& one : all) {
    if (holds(one)) texts.emplace(one.key.container, textOf(one));
  }
  Candidates candidates;
  for (const Named& one : all) {
    const auto text = texts.find(one.key.container);
    if (text != texts.end()) candidates[text->second].push_back(one.key);
  }
  return candidates;
}

Candidates candidatesFor(const std::vector<Named>& all, const std::string& name) {
  const auto idOf = [](const Named& one) { return one.key.container.toString(); };
  Candidates found = containersIf(all, [&](const Named& one) { return idOf(one) == name; });
  if (!found.empty()) return found;
  found = containersIf(all, [wanted = wantedBy(name)](const Named& one) { return isNamed(one, wanted); });
  for (const Named& one : all) {
    if (one.key.network.toString() == name) found["network " + name].push_back(one.key);
  }
  if (!found.empty()) return found;
  return containersIf(all, [&](const Named& one) { return idOf(one).starts_with(name); });
}

std::string listOf(const Candidates& candidates) {
  constexpr std::size_t kMax = 5;
  std::vector<std::string> texts;
  for (const auto& [text, keys] : candidates) texts.push_back(text);
  texts.resize(std::min(texts.size(), kMax));
  return joined(texts) + (candidates.size() > kMax ? ", …" : "");
}

}  // namespace

netlib::Result<std::vector<AttachmentKey>> keysNamed(const std::vector<Named>& all, const std::string& name) {
  if (name.empty()) return netlib::fail(netlib::Cause::Invalid, "the name of the container is empty");
  Candidates candidates = candidatesFor(all, name);
  if (candidates.empty()) {
    return netlib::fail(netlib::Cause::Missing,
                        "nothing on record is called \"" + name +
                            "\": no container ID or prefix of one, pod, address, host port, network namespace, host "
                            "interface or network");
  }
  if (candidates.size() > 1) {
    return netlib::fail(netlib::Cause::Missing, "\"" + name + "\" is ambiguous: " + listOf(candidates));
  }
  std::vector<AttachmentKey> keys = std::move(candidates.begin()->second);
  std::ranges::sort(keys);
  return keys;
}

netlib::Result<std::vector<AttachmentKey>> attachmentsNamed(Host& host, const std::string& name) {
  std::vector<Named> all;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const auto seen = host.ledger.snapshot(key);
    all.push_back({key, seen && *seen ? std::optional{(*seen)->attachment} : std::nullopt});
  }
  return keysNamed(all, name);
}

}  // namespace pons::ctl
