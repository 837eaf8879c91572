#include "plugin/cni/decode/chained_config.h"

namespace pons::cni {

namespace {

Result<> decodePortmap(Config& config, const Field& root) {
  config.loopbackPorts = TRY(root["snat"].boolean()).value_or(true);
  config.masqueradeAll = TRY(root["masqAll"].boolean()).value_or(false);
  config.portMappings = TRY(decodePortMappings(root));
  return {};
}

Result<> decodeFirewall(Config& config, const Field& root) {
  // Whatever the backend: the firewall of the host accepts the traffic of the bridge.
  config.acceptForward = true;
  config.adminChain = TRY(root["iptablesAdminChainName"].text()).value_or("CNI-ADMIN");
  config.ingress =
      TRY(root["ingressPolicy"].parsed(parseIngressPolicy, "open, same-bridge or isolated")).value_or(config.ingress);
  config.onDeny = TRY(root["onDeny"].parsed(parseOnDeny, kExpectedOnDeny)).value_or(config.onDeny);
  return {};
}

}  // namespace

Result<> decodeChained(Config& config, const Field& root, const Environment& environment) {
  config.bridge.gateway = false;
  switch (environment.applet) {
    case Applet::Portmap:
      return decodePortmap(config, root);
    case Applet::Bandwidth:
      config.bandwidth = TRY(decodeReferenceBandwidth(root));
      return {};
    case Applet::Firewall:
      return decodeFirewall(config, root);
    case Applet::Tuning:
      config.tuning = TRY(decodeTuning(root, environment));
      return {};
    default:
      return {};
  }
}

}  // namespace pons::cni
