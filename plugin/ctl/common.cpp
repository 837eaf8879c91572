#include "plugin/ctl/common.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/cni/decode/settings.h"

namespace pons::tools {

netlib::Result<std::optional<Host>> openHost(const Arguments& arguments) {
  auto ledger = Ledger::openExisting(arguments.stateDir, cni::Settings{}.lockTimeout);
  if (ledger.failedWith(ENOENT)) return std::optional<Host>{};
  if (!ledger) return netlib::fail(ledger.error());
  return std::optional<Host>{TRY(Host::open(std::move(*ledger)))};
}

bool has(const Attachment& attachment, const std::string& hold) {
  const auto holds = sharedStatesOf(attachment);
  return std::ranges::find(holds, hold) != holds.end();
}

Answer failure(std::string_view command, const netlib::Error& error) {
  return {kFailed, {}, "pons " + std::string{command} + ": " + netlib::printable(error.message) + "\n"};
}

void writeKey(json::Writer& writer, const AttachmentKey& key) {
  writer.member("network", key.network.toString());
  writer.member("container", key.container.toString());
  writer.member("interface", key.ifName.toString());
  if (key.plugin != ChainedPlugin::None) writer.member("plugin", nameOf(key.plugin));
}

Answer documentOf(const json::Writer& writer, int exitCode) { return {exitCode, writer.text() + "\n", {}}; }

}  // namespace pons::tools
