#include "plugin/ctl/gc.h"

#include <algorithm>

#include "plugin/cni/decode/settings.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/networks.h"
#include "plugin/verbs/delegate.h"

namespace pons::ctl {

namespace {

bool isRemoved(const json::Value& orphan) { return isTrue(orphan["removed"]); }

/// Without --delete none is removed and none has a failure.
std::string summaryOf(const std::vector<json::Value>& orphans) {
  const std::size_t removed = countIf(orphans, isRemoved);
  const std::size_t left = orphans.size() - removed;
  const auto failed = [](const json::Value& one) { return one["failure"].present(); };
  if (removed > 0 || std::ranges::any_of(orphans, failed)) {
    return std::to_string(removed) + " removed" + (left == 0 ? "" : ", " + std::to_string(left) + " left") + "\n";
  }
  const std::string offer = counted(left, "leftover") + ": --delete removes " + (left == 1 ? "it" : "them") + "\n";
  // The kernel removes a veth with the network namespace of its peer: one that exists has a namespace in use.
  const bool hasLinks =
      std::ranges::any_of(orphans, [](const json::Value& one) { return plainText(one["kind"]) == "link"; });
  if (!hasLinks) return offer;
  return offer + "A link may be in use: deleting it disconnects its container.\n" +
         "To put a running container on record again, restart it.\n";
}

Cell whyCell(const json::Value& orphan) {
  const std::string why = plainText(orphan["why"]);
  if (!orphan["failure"].present()) return {why};
  return {why + "; not deleted: " + plainText(orphan["failure"]), Colour::Bad};
}

/// To delete, a lost one is created as the next ADD would: the host lock is in it, and an ADD may come meanwhile.
netlib::Result<Ledger> ledgerFor(const Arguments& arguments) {
  const auto patience = cni::Settings{}.lockTimeout;
  if (arguments.deletes) return Ledger::open(arguments.stateDir, patience);
  auto existing = Ledger::openExisting(arguments.stateDir, patience);
  return existing.failedWith(ENOENT) ? Ledger::openIfPresent(arguments.stateDir, patience) : std::move(existing);
}

netlib::Result<Orphans> collectAt(const Arguments& arguments) {
  if (!arguments.network.empty() && !NetworkName::parse(arguments.network)) {
    return netlib::fail(netlib::Cause::Invalid, "\"" + arguments.network + "\" is not a valid network name");
  }
  if (TRY(findStateDirectory(arguments)) == StateDirectory::None) {
    return Orphans{.deletes = arguments.deletes, .others = otherStateDirectories(arguments)};
  }
  auto ledger = TRY(ledgerFor(arguments));
  Host host = TRY(Host::open(std::move(ledger)));
  host.ipam = std::make_unique<Delegate>(arguments.pluginPath);
  return collectOrphans(host, arguments);
}

}  // namespace

std::string gcJson(const Orphans& orphans) {
  return jsonDocument([&](json::Writer& writer) {
    writeObjects(writer, "leftovers", orphans.all, [&](json::Writer& to, const OrphanResult& one) {
      const Orphan& orphan = one.orphan;
      to.member("kind", orphan.kind).member("name", orphan.name).member("why", orphan.why);
      if (orphan.network) to.member("network", orphan.network->toString());
      if (!one.pod.empty()) to.member("pod", one.pod);
      if (orphan.container) to.member("container", orphan.container->toString());
      to.member("removed", !orphans.isLeft(one));
      if (!one.failure.empty()) to.member("failure", one.failure);
    });
    writeStrings(writer, "problems", orphans.problems);
    writeStrings(writer, "otherStateDirectories", orphans.others);
  });
}

std::string gcText(const json::Value& root, const Terminal& terminal) {
  std::string others;
  for (const json::Value& directory : root["otherStateDirectories"].items()) {
    others +=
        "Links or tables of another state directory are left alone: use --state-dir " + plainText(directory) + "\n";
  }
  const std::vector<json::Value> orphans = root["leftovers"].items();
  if (orphans.empty()) return "no leftovers\n" + others;
  using enum Column::Fit;
  std::vector<ReportColumn> columns{{"KIND", cellOf("kind")},       {"NETWORK", cellOf("network")},
                                    {"POD", cellOf("pod")},         {"CONTAINER", cellOf("container"), Shorten},
                                    {"NAME", cellOf("name"), Wrap}, {"WHY", whyCell, Wrap}};
  const bool anyPod = std::ranges::any_of(orphans, [](const json::Value& one) { return one["pod"].present(); });
  if (!anyPod) std::erase_if(columns, [](const ReportColumn& column) { return column.title == "POD"; });
  return tableOf(orphans, columns, terminal) + "\n" + summaryOf(orphans) + others;
}

netlib::Result<Answer> gc(const Arguments& arguments) {
  const Orphans orphans = TRY(collectAt(arguments));
  if (orphans.all.empty()) TRY(requireNetwork(arguments));
  const bool isClean = orphans.problems.empty() &&
                       std::ranges::none_of(orphans.all, [&](const OrphanResult& one) { return orphans.isLeft(one); });
  return answer(arguments, gcJson(orphans), gcText, isClean ? 0 : kFailed, orphans.problems);
}

}  // namespace pons::ctl
