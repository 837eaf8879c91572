#include "tests/unit/decoded.h"

using namespace pons;
using namespace pons::cni;
using namespace pons::test;
using netlib::Family;

TEST_CASE("the smallest sensible configuration does the sensible thing") {
  const Config config = decoded("");
  CHECK(config.bridge.name.toString() == "pons0");
  CHECK(config.bridge.gateway);
  CHECK(config.isDefaultGateway);
  CHECK(config.masquerade == std::vector{Family::Ipv4});
  CHECK(config.hairpin);
  CHECK_FALSE(config.bridge.promiscuous);
  CHECK_FALSE(config.bridge.forceAddress);
  CHECK_FALSE(config.isolated);
  CHECK_FALSE(config.detectDuplicateAddresses);
  CHECK_FALSE(config.containerInterfaceDown);
  CHECK(config.acceptForward);
  CHECK(config.ingress == pons::IngressPolicy::Open);
  CHECK(config.mtu == Mtu{});
  CHECK(config.settings == Settings{});
  REQUIRE(config.addresses.sets.size() == 1);
  CHECK(config.addresses.sets[0][0].subnet == net("10.42.0.0/24"));
  CHECK(config.addresses.sets[0][0].gateway == ip("10.42.0.1"));
  CHECK(config.portMappings.empty());
}

TEST_CASE("the host's firewall and the ingress policy") {
  CHECK(decoded(R"("forward": "auto")").acceptForward);
  CHECK_FALSE(decoded(R"("forward": "off")").acceptForward);
  for (const auto& [text, policy] : {std::pair{"open", pons::IngressPolicy::Open},
                                     {"same-bridge", pons::IngressPolicy::SameBridge},
                                     {"isolated", pons::IngressPolicy::Isolated}}) {
    CHECK(decoded(R"("ingressPolicy": ")" + std::string{text} + "\"").ingress == policy);
  }
}

TEST_CASE("published ports only, and what happens to the rest") {
  CHECK_FALSE(decoded("").publishedOnly);
  CHECK(decoded("").onDeny == pons::OnDeny::Reject);
  CHECK(decoded(R"("publishedOnly": true)").publishedOnly);
  CHECK_FALSE(decoded(R"("publishedOnly": false)").publishedOnly);
  CHECK(decoded(R"("onDeny": "reject")").onDeny == pons::OnDeny::Reject);
  CHECK(decoded(R"("onDeny": "drop", "internal": true)").onDeny == pons::OnDeny::Drop);
}

TEST_CASE("without ipam there are no addresses, and nothing that needs one") {
  for (const std::string_view members :
       {"", R"("ipam": {})", R"("ipam": {"type": "", "ranges": []})", R"("ipam": null)", R"("ipam": {"subnet": ""})"}) {
    const Config plain = configOf(config(members));
    CHECK(plain.addresses.sets.empty());
    CHECK_FALSE(plain.bridge.gateway);
    CHECK_FALSE(plain.isDefaultGateway);
    CHECK(plain.masquerade.empty());
  }
  CHECK(addCode(config(R"("isDefaultGateway": true)")) == 7);
  CHECK(addCode(config(R"("ipMasq": true)")) == 7);
  CHECK(addCode(config(R"("isGateway": true)")) == 0);
  CHECK(addCode(config(R"("portMappings": [{"hostPort": 1, "containerPort": 1}])")) == 7);
  CHECK(addCode(config(R"("disableContainerInterface": true)")) == 0);
  CHECK(codeOf(R"("disableContainerInterface": true)") == 7);
}

TEST_CASE("keys of the wrong type or value: error 7 that names key and value") {
  for (const std::string members : {R"("bridge": 7)",
                                    R"("bridge": "a/b")",
                                    R"("bridge": "sixteen-bytes-xx")",
                                    R"("isGateway": "yes")",
                                    R"("isDefaultGateway": 1)",
                                    R"("ipMasq": {})",
                                    R"("hairpinMode": "on")",
                                    R"("promiscMode": 0)",
                                    R"("mtu": true)",
                                    R"("mtu": "big")",
                                    R"("mtu": 67)",
                                    R"("mtu": 65536)",
                                    R"("mtu": -1)",
                                    R"("mtu": 1500.5)",
                                    R"("forceAddress": [])",
                                    R"("portIsolation": "x")",
                                    R"("forward": "on")",
                                    R"("forward": true)",
                                    R"("ingressPolicy": "closed")",
                                    R"("ingressPolicy": 1)",
                                    R"("publishedOnly": "yes")",
                                    R"("onDeny": "ignore")",
                                    R"("onDeny": true)",
                                    R"("enabledad": 1)",
                                    R"("disableContainerInterface": 1)",
                                    R"("macspoofchk": "x")",
                                    R"("vlan": "x")",
                                    R"("vlan": 4095)",
                                    R"("vlanTrunk": {})",
                                    R"("preserveDefaultVlan": 0)",
                                    R"("ipMasqBackend": 7)",
                                    R"("ipMasqExclude": "10.0.0.0/8")",
                                    R"("ipMasqExclude": ["x"])",
                                    R"("ipMasqFamilies": ["ipv5"])",
                                    R"("ipMasqFamilies": [""])",
                                    R"("ipMasqFamilies": "ipv4")",
                                    R"("portMappings": {})",
                                    R"("portMappings": [7])",
                                    R"("runtimeConfig": 7)",
                                    R"("runtimeConfig": {"ips": "x"})",
                                    R"("runtimeConfig": {"ips": [7]})",
                                    R"("runtimeConfig": {"mac": 7})",
                                    R"("runtimeConfig": {"ipRanges": {}})",
                                    R"("runtimeConfig": {"ipRanges": [7]})",
                                    R"("runtimeConfig": {"dns": []})",
                                    R"("args": "x")",
                                    R"("args": {"cni": []})",
                                    R"("args": {"cni": {"ips": {}}})",
                                    R"("args": {"cni": {"mac": "x"}})",
                                    R"("dns": "x")",
                                    R"("dns": {"nameservers": "10.0.0.1"})",
                                    R"("dns": {"search": [7]})",
                                    R"("dns": {"domain": 7})",
                                    R"("dns": {"search": ["a\nnameserver 6.6.6.6"]})",
                                    R"("dns": {"options": ["a b"]})",
                                    R"("dns": {"domain": "a b"})",
                                    R"("stateDir": 7)",
                                    R"("stateDir": "x")",
                                    R"("stateDir": "/a/../b")",
                                    R"("stateDir": "/a\u0000b")",
                                    R"("lockTimeout": 0)",
                                    R"("lockTimeout": 601)",
                                    R"("lockTimeout": "30")"}) {
    CAPTURE(members);
    const auto request = add(configWithIpam(members));
    REQUIRE_FALSE(request.ok());
    CHECK(request.error().code == ErrorCode::InvalidConfig);
    const std::string key = members.substr(1, members.find('"', 1) - 1);
    CHECK(request.error().message.find(key) != std::string::npos);
    CHECK(request.error().message.find("expected") != std::string::npos);
  }
  CHECK(addCode(config(R"("ipam": "x")")) == 7);
}

TEST_CASE("of a number or boolean in quotes the error says that they are too many") {
  const auto isAdvised = [](std::string_view members) {
    const auto request = add(configWithIpam(members));
    REQUIRE_FALSE(request.ok());
    return request.error().message.ends_with(", without quotes");
  };
  for (const char* members : {R"("mtu": "1450")", R"("isGateway": "true")", R"("ipMasq": "false")",
                              R"("lockTimeout": "30")", R"("bandwidth": {"ingressRate": "1000"})"}) {
    CHECK_MESSAGE(isAdvised(members), members);
  }
  for (const char* members : {R"("mtu": "large")", R"("mtu": 7)", R"("isGateway": 1)", R"("isGateway": "yes")",
                              R"("lockTimeout": "")", R"("lockTimeout": 0)"}) {
    CHECK_FALSE_MESSAGE(isAdvised(members), members);
  }
}

TEST_CASE("known keys that pons cannot serve: error 2 that names key and value") {
  const auto refused = [](std::string_view members, std::string_view shown) {
    const auto request = add(configWithIpam(members));
    REQUIRE_FALSE(request.ok());
    CHECK(request.error().code == ErrorCode::UnsupportedField);
    CHECK(request.error().message.find(shown) != std::string::npos);
  };
  refused(R"("ipMasqBackend": "iptables")", R"("ipMasqBackend": "iptables")");
  CHECK(codeOf(R"("ipMasqBackend": "nftables")") == 0);
  CHECK(codeOf(R"("ipMasqBackend": "")") == 0);
}

TEST_CASE("unknown keys and null are ignored") {
  CHECK(codeOf(R"("capabilities": {"portMappings": true}, "nerdctlID": "x", "disableCheck": true, "cni.dev/x": [],)"
               R"("args": {"podman_labels": {}}, "runtimeConfig": {"io.kubernetes.cri.pod-annotations": null})") == 0);
  CHECK(
      codeOf(R"("bridge": null, "isGateway": null, "mtu": null, "hairpinMode": null, "vlan": null,)"
             R"("vlanTrunk": null, "portMappings": null, "runtimeConfig": null, "args": null, "dns": null,)"
             R"("stateDir": null, "logLevel": null, "logFormat": null, "lockTimeout": null, "ipMasqExclude": null)") ==
      0);
  CHECK(ipamCode(R"("type": "pons", "subnet": "10.42.0.0/24", "ranges": null, "rangeStart": "", "gateway": null,)"
                 R"("exclude": null, "routes": null, "resolveConf": "/does/not/exist")") == 0);
}

TEST_CASE("isDefaultGateway implies isGateway") {
  CHECK(codeOf(R"("isGateway": false, "isDefaultGateway": true)") == 7);
  const Config off = decoded(R"("isGateway": false)");
  CHECK_FALSE(off.bridge.gateway);
  CHECK_FALSE(off.isDefaultGateway);
  CHECK(off.masquerade.empty());
  CHECK_FALSE(decoded(R"("isDefaultGateway": false)").isDefaultGateway);
  CHECK(decoded(R"("isGateway": false, "ipMasq": true)").masquerade == std::vector{Family::Ipv4});
}

TEST_CASE("hairpin is on, but never together with promiscMode") {
  CHECK_FALSE(decoded(R"("promiscMode": true)").hairpin);
  CHECK_FALSE(decoded(R"("hairpinMode": false)").hairpin);
  CHECK(codeOf(R"("promiscMode": true, "hairpinMode": true)") == 7);
  CHECK(codeOf(R"("promiscMode": true, "hairpinMode": false)") == 0);
}

TEST_CASE("mtu: auto, the kernel's default, or what every family can live with") {
  CHECK(decoded(R"("mtu": "auto")").mtu == Mtu{.automatic = true, .bytes = 0});
  CHECK(decoded(R"("mtu": 0)").mtu == Mtu{});
  CHECK(decoded(R"("mtu": 68)").mtu.bytes == 68);
  CHECK(decoded(R"("mtu": 65535)").mtu.bytes == 65535);
  const auto ipv6 = [](int mtu) {
    return addCode(config(R"("ipam": {"subnet": "fd00:42::/64"}, "mtu": )" + std::to_string(mtu)));
  };
  CHECK(ipv6(1279) == 7);
  CHECK(ipv6(1280) == 0);
  CHECK(ipv6(0) == 0);
}

TEST_CASE("masquerade: by family, less the exclusions") {
  const std::string dual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00:42::/64"}]]})";
  const auto families = [&](const std::string& members) { return configOf(config(dual + members)).masquerade; };
  CHECK(families("") == std::vector{Family::Ipv4, Family::Ipv6});
  CHECK(families(R"(, "ipMasqFamilies": ["ipv6"])") == std::vector{Family::Ipv6});
  CHECK(families(R"(, "ipMasqFamilies": ["ipv4", "ipv4"])") == std::vector{Family::Ipv4});
  CHECK(families(R"(, "ipMasqFamilies": [])").empty());
  CHECK(families(R"(, "ipMasq": false)").empty());
  CHECK(decoded(R"("ipMasqExclude": ["10.1.2.3/8", "192.0.2.7"])").masqueradeExcluded ==
        std::vector{net("10.0.0.0/8"), net("192.0.2.7/32")});
}

TEST_CASE("before 0.3.0 a result has room for one address of each family, and needs one") {
  const auto code = [](const std::string& ipam) {
    return addCode(R"({"cniVersion": "0.2.0", "name": "demo", "ipam": {)" + ipam + "}}");
  };
  CHECK(code("") == 7);
  CHECK(code(R"("ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]])") == 7);
  CHECK(code(R"("ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00::/64"}]])") == 0);
  CHECK(code(R"("ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.2.0.0/24"}]])") == 0);
}
