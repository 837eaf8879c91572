#include "plugin/ctl/nameservers.h"

#include "plugin/cni/dns.h"
#include "plugin/ctl/conf_file.h"

namespace pons::ctl {

namespace {

std::vector<netlib::IpAddress> configuredNameservers(const NetworkName& network, const Arguments& arguments) {
  for (const ConfiguredPlugin& plugin : pluginsIn(arguments).all) {
    if (plugin.network != network.toString() || !plugin.request) continue;
    const auto& nameservers = plugin.request->config.dns.nameservers;
    if (!nameservers.empty()) return nameservers;
  }
  return {};
}

}  // namespace

std::vector<netlib::IpAddress> nameserversOf(const Attachment& attachment, const Arguments& arguments) {
  if (attachment.resolvConf) return cni::parseResolvConf(attachment.resolvConf->content).nameservers;
  if (attachment.leases.empty()) return {};
  auto configured = configuredNameservers(attachment.key.network, arguments);
  if (!configured.empty() || !attachment.egress) return configured;
  return attachment.egress->nameservers;
}

}  // namespace pons::ctl
