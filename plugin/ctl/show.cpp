#include "plugin/ctl/show.h"

#include <algorithm>
#include <set>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"

namespace pons::ctl {

namespace {

std::string listOf(const std::set<std::string>& containers) {
  constexpr std::size_t kMax = 5;
  std::vector<std::string> first{containers.begin(), containers.end()};
  first.resize(std::min(first.size(), kMax));
  return joined(first) + (containers.size() > kMax ? ", …" : "");
}

/// The attachments of the container with that ID, else of the only one whose ID has that prefix.
netlib::Result<std::vector<AttachmentKey>> keysOf(std::vector<AttachmentKey> keys, const std::string& prefix) {
  std::set<std::string> containers;
  for (const AttachmentKey& key : keys) {
    const std::string& id = key.container.toString();
    if (id.starts_with(prefix)) containers.insert(id);
  }
  if (containers.empty()) return netlib::fail(netlib::Cause::Missing, "no recorded container ID begins with " + prefix);
  if (containers.size() > 1 && !containers.contains(prefix)) {
    return netlib::fail(netlib::Cause::Invalid, counted(containers.size(), "container ID") + " begin with " + prefix +
                                                    ": " + listOf(containers));
  }
  const std::string& id = containers.contains(prefix) ? prefix : *containers.begin();
  std::erase_if(keys, [&id](const AttachmentKey& key) { return key.container.toString() != id; });
  std::ranges::sort(keys);
  return keys;
}

netlib::Result<std::vector<Shown>> collect(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  if (!host) return netlib::fail(netlib::Cause::Missing, "no attachments are recorded in " + arguments.stateDir);
  const std::vector<AttachmentKey> all = TRY(host->ledger.attachments());
  const std::vector<AttachmentKey> keys = TRY(keysOf(all, arguments.subject));
  std::vector<Shown> shown;
  for (AttachmentStatus& status : collectStatus(*host, keys)) {
    Facts facts = status.attachment ? factsOf(*host, *status.attachment) : Facts{};
    shown.push_back({std::move(status), std::move(facts)});
  }
  return shown;
}

}  // namespace

Answer show(const Arguments& arguments) {
  const auto shown = collect(arguments);
  if (!shown) return failure("show", shown.error());
  return {0, arguments.json ? showJson(*shown) : showText(*shown, arguments.terminal), {}};
}

}  // namespace pons::ctl
