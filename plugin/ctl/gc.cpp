#include "plugin/ctl/gc.h"

#include <algorithm>

#include "plugin/cni/decode/settings.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/table.h"
#include "plugin/verbs/delegate.h"

namespace pons::ctl {

namespace {

std::size_t countLeft(const Orphans& orphans) {
  return static_cast<std::size_t>(
      std::ranges::count_if(orphans.all, [&](const OrphanResult& one) { return orphans.isLeft(one); }));
}

std::string summaryOf(const Orphans& orphans) {
  const std::size_t left = countLeft(orphans);
  if (orphans.deletes) {
    const std::string removed = std::to_string(orphans.all.size() - left) + " removed";
    return left == 0 ? removed + "\n" : removed + ", " + std::to_string(left) + " left\n";
  }
  const std::string offer = counted(left, "leftover") + ": --delete removes " + (left == 1 ? "it" : "them") + "\n";
  // The kernel removes a veth with the network namespace of its peer: one that exists has a namespace in use.
  const bool hasLinks = std::ranges::any_of(orphans.all, [](const auto& one) { return one.orphan.kind == "link"; });
  return hasLinks ? offer + "A link may be in use: deleting it disconnects its container.\n" : offer;
}

netlib::Result<Orphans> collectAt(const Arguments& arguments) {
  if (!arguments.network.empty() && !NetworkName::parse(arguments.network)) {
    return netlib::fail(netlib::Cause::Invalid, "\"" + arguments.network + "\" is not a valid network name");
  }
  if (TRY(findStateDirectory(arguments)) == StateDirectory::None) {
    return Orphans{.deletes = arguments.deletes, .others = otherStateDirectories(arguments)};
  }
  // Creates a lost one as the next ADD would: the host lock is in it, and an ADD may come meanwhile.
  auto ledger = TRY(Ledger::open(arguments.stateDir, cni::Settings{}.lockTimeout));
  Host host = TRY(Host::open(std::move(ledger)));
  host.ipam = std::make_unique<Delegate>(arguments.pluginPath);
  return collectOrphans(host, arguments);
}

}  // namespace

std::string gcText(const Orphans& orphans, const Terminal& terminal) {
  std::string others;
  for (const std::string& directory : orphans.others) {
    others += "Links or tables of another state directory are left alone: use --state-dir " + directory + "\n";
  }
  if (orphans.all.empty()) return "no leftovers\n" + others;
  using enum Column::Fit;
  Table table{{{"KIND"}, {"NETWORK"}, {"CONTAINER", Shorten}, {"NAME", Wrap}, {"WHY", Wrap}}};
  for (const auto& [orphan, failure] : orphans.all) {
    const Cell why = failure.empty() ? Cell{orphan.why} : Cell{orphan.why + "; not deleted: " + failure, Colour::Bad};
    table.add({{orphan.kind},
               {orphan.network ? orphan.network->toString() : ""},
               {orphan.container ? orphan.container->toString() : ""},
               {orphan.name},
               why});
  }
  return table.text(terminal) + "\n" + summaryOf(orphans) + others;
}

std::string gcJson(const Orphans& orphans) {
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "leftovers", orphans.all, [&](json::Writer& to, const OrphanResult& one) {
      const Orphan& orphan = one.orphan;
      to.member("kind", orphan.kind).member("name", orphan.name).member("why", orphan.why);
      if (orphan.network) to.member("network", orphan.network->toString());
      if (orphan.container) to.member("container", orphan.container->toString());
      to.member("taken", !orphans.isLeft(one));
      if (!one.failure.empty()) to.member("failure", one.failure);
    });
    writeStrings(writer, "problems", orphans.problems);
    writeStrings(writer, "otherStateDirectories", orphans.others);
  });
}

Answer gc(const Arguments& arguments) {
  const auto orphans = collectAt(arguments);
  if (!orphans) return failure("gc", orphans.error());
  const int exitCode = countLeft(*orphans) == 0 && orphans->problems.empty() ? 0 : kFailed;
  return {exitCode, arguments.json ? gcJson(*orphans) : gcText(*orphans, arguments.terminal),
          linesOf("gc", orphans->problems)};
}

}  // namespace pons::ctl
