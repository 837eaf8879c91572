#include "plugin/ctl/show.h"

#include <algorithm>
#include <set>

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

std::string someOf(const std::set<std::string>& containers) {
  constexpr std::size_t kSome = 5;
  std::vector<std::string> some{containers.begin(), containers.end()};
  some.resize(std::min(some.size(), kSome));
  return joined(some) + (containers.size() > kSome ? ", …" : "");
}

/// The attachments of the one container whose id begins so; one whose whole id it is comes before all others.
netlib::Result<std::vector<AttachmentKey>> keysOf(std::vector<AttachmentKey> keys, const std::string& beginning) {
  std::set<std::string> containers;
  for (const AttachmentKey& key : keys) {
    const std::string& id = key.container.toString();
    if (id.starts_with(beginning)) containers.insert(id);
  }
  if (containers.empty()) return netlib::fail(ENOENT, "no container on record has an id that begins with " + beginning);
  if (containers.size() > 1 && !containers.contains(beginning)) {
    return netlib::fail(EEXIST,
                        counted(containers.size(), "container") + " have ids that begin so: " + someOf(containers));
  }
  const std::string& id = containers.contains(beginning) ? beginning : *containers.begin();
  std::erase_if(keys, [&id](const AttachmentKey& key) { return key.container.toString() != id; });
  std::ranges::sort(keys);
  return keys;
}

netlib::Result<std::vector<Shown>> look(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  if (!host) return netlib::fail(ENOENT, "nothing is on record in " + arguments.stateDir);
  const std::vector<AttachmentKey> all = TRY(host->ledger.attachments());
  const std::vector<AttachmentKey> keys = TRY(keysOf(all, arguments.subject));
  std::vector<Shown> shown;
  for (Item& item : takeStock(*host, keys)) {
    Facts facts = item.attachment ? factsOf(*host, *item.attachment) : Facts{};
    shown.push_back({std::move(item), std::move(facts)});
  }
  return shown;
}

}  // namespace

Answer show(const Arguments& arguments) {
  const auto shown = look(arguments);
  if (!shown) return failure("show", shown.error());
  return {0, arguments.json ? showJson(*shown) : showText(*shown, arguments.screen), {}};
}

}  // namespace pons::tools
