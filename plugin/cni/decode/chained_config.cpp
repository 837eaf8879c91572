#include "plugin/cni/decode/chained_config.h"

namespace pons::cni {

namespace {

Result<> decodePortmap(Config& config, const Field& root) {
  const Field backend = root["backend"];
  const std::string wanted = TRY(backend.text()).value_or("nftables");
  // Both publish ports with nf_tables: the effect is the same.
  if (wanted != "nftables" && wanted != "iptables") return backend.unsupported("pons supports nftables and iptables");
  // pons needs no packet mark, so any bit is valid. "externalSetMarkChain" needs iptables.
  TRY(root["markMasqBit"].number(0, 31));
  const Field markChain = root["externalSetMarkChain"];
  if (TRY(markChain.text())) return markChain.unsupported("nf_tables cannot jump to an iptables chain");
  for (const Field& conditions : {root["conditionsV4"], root["conditionsV6"]}) {
    if (!TRY(conditions.items()).empty()) {
      return conditions.unsupported("conditions are iptables arguments; use \"hostIP\" instead");
    }
  }
  config.sourceNat = TRY(root["snat"].boolean()).value_or(true);
  config.masqueradeAll = TRY(root["masqAll"].boolean()).value_or(false);
  config.portMappings = TRY(decodePortMappings(root));
  return {};
}

Result<> decodeFirewall(Config& config, const Field& root) {
  const Field backend = root["backend"];
  const std::string wanted = TRY(backend.text()).value_or("iptables");
  // The effect is the same: the firewall of the host accepts the traffic of the bridge.
  if (wanted != "iptables" && wanted != "firewalld") return backend.unsupported("pons supports iptables and firewalld");
  config.acceptForward = true;
  config.adminChain = TRY(root["iptablesAdminChainName"].text()).value_or("CNI-ADMIN");
  config.ingress =
      TRY(root["ingressPolicy"].parsed(parseIngressPolicy, "open, same-bridge or isolated")).value_or(config.ingress);
  return {};
}

}  // namespace

Result<> decodeChained(Config& config, const Field& root, const Environment& environment) {
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
