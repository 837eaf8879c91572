#include "plugin/ctl/gc.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/cni/decode/settings.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"
#include "plugin/verbs/delegate.h"

namespace pons::tools {

namespace {

bool isLeft(const Collection& collection, const Garbage& garbage) {
  return !collection.taken || !garbage.failure.empty();
}

std::size_t countLeft(const Collection& collection) {
  return static_cast<std::size_t>(std::ranges::count_if(
      collection.garbage, [&collection](const Garbage& garbage) { return isLeft(collection, garbage); }));
}

bool hasLinks(const Collection& collection) {
  return std::ranges::any_of(collection.garbage, [](const Garbage& g) { return g.leftover.kind == "link"; });
}

std::string summaryOf(const Collection& collection) {
  const std::size_t left = countLeft(collection);
  if (collection.taken) {
    const std::string taken = std::to_string(collection.garbage.size() - left) + " taken away";
    return left == 0 ? taken + "\n" : taken + ", " + std::to_string(left) + " left\n";
  }
  const std::string offer = counted(left, "leftover") + ": --delete takes " + (left == 1 ? "it" : "them") + " away\n";
  // Its other end is in a namespace that lives, or it would be gone.
  return hasLinks(collection) ? offer + "Something may still run behind a link: it would lose its network.\n" : offer;
}

netlib::Result<Collection> collectAt(const Arguments& arguments) {
  // A lost ledger is begun anew, as the next ADD would do it: what is in the kernel has no record then.
  auto ledger = TRY(Ledger::open(arguments.stateDir, cni::Settings{}.lockTimeout));
  Host host = TRY(Host::open(std::move(ledger)));
  host.ipam = std::make_unique<Delegate>(arguments.pluginPath);
  return collect(host, arguments);
}

}  // namespace

std::string gcText(const Collection& collection, const Screen& screen) {
  if (collection.garbage.empty()) return "nothing is left behind\n";
  using enum Column::Fit;
  Table table{{{"KIND"}, {"NETWORK"}, {"CONTAINER", Shorten}, {"NAME", Wrap}, {"WHY", Wrap}}};
  for (const Garbage& garbage : collection.garbage) {
    const Orphan& leftover = garbage.leftover;
    const bool failed = !garbage.failure.empty();
    table.add({{leftover.kind},
               {leftover.network ? leftover.network->toString() : ""},
               {leftover.container ? leftover.container->toString() : ""},
               {leftover.name},
               {failed ? leftover.why + ", and stays: " + garbage.failure : leftover.why,
                failed ? Colour::Bad : Colour::None}});
  }
  return table.text(screen) + "\n" + summaryOf(collection);
}

std::string gcJson(const Collection& collection) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject().key("leftovers").beginArray();
  for (const Garbage& garbage : collection.garbage) {
    const Orphan& leftover = garbage.leftover;
    writer.beginObject().member("kind", leftover.kind).member("name", leftover.name).member("why", leftover.why);
    if (leftover.network) writer.member("network", leftover.network->toString());
    if (leftover.container) writer.member("container", leftover.container->toString());
    writer.member("taken", !isLeft(collection, garbage));
    if (!garbage.failure.empty()) writer.member("failure", garbage.failure);
    writer.endObject();
  }
  writer.endArray().key("problems").beginArray();
  for (const std::string& problem : collection.problems) writer.value(problem);
  writer.endArray().endObject();
  return writer.text() + "\n";
}

Answer gc(const Arguments& arguments) {
  const auto collection = collectAt(arguments);
  if (!collection) return failure("gc", collection.error());
  Answer answer{countLeft(*collection) == 0 && collection->problems.empty() ? 0 : kFailed, {}, {}};
  answer.out = arguments.json ? gcJson(*collection) : gcText(*collection, arguments.screen);
  for (const std::string& problem : collection->problems) answer.err += "pons gc: " + netlib::printable(problem) + "\n";
  return answer;
}

}  // namespace pons::tools
