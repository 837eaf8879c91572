// Gateways that IPAM does not name, and those that lie elsewhere.
#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kStatic =
    R"("ipam": {"type": "static", "addresses": [{"address": "10.50.0.5/24"}, {"address": "fd00:50::101/112"}]})";

std::vector<std::string> gatewaysIn(const pons::json::Document& result) {
  std::vector<std::string> gateways;
  for (const auto& address : result["ips"].items()) gateways.push_back(textOf(address["gateway"]));
  return gateways;
}

/// A foreign IPAM plugin that names addresses and no gateways.
void makeElsewhere() {
  shell(
      "mkdir -p /run/plugins; printf '%s\\n' '#!/bin/sh' \"[ \\$CNI_COMMAND != ADD ] || echo '"
      R"({\"cniVersion\": \"1.0.0\", \"ips\": [{\"address\": \"10.50.0.5/24\"}, {\"address\": \"fd00:50::101/112\"}]}')"
      "\" >/run/plugins/elsewhere; chmod 755 /run/plugins/elsewhere");
}

Outcome callIn(const std::string& name, const std::string& verb, const std::string& config) {
  auto environment = environmentOf(verb);
  environment.back() = "CNI_PATH=/run/plugins";
  return run({"/run/plugins/" + name}, {.environment = environment, .input = config});
}

}  // namespace

TEST_CASE("A gateway that IPAM does not name is the first address of its subnet, where the bridge is to be one") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string fromRuntime =
      R"("ipam": {"type": "static"}, "runtimeConfig": {"ips": ["10.50.0.5/24", "fd00:50::101/112"]})";
  for (const std::string type : {"pons", "bridge"}) {
    for (const std::string& ipam : {kStatic, fromRuntime, std::string{R"("ipam": {"type": "elsewhere"})"}}) {
      for (const std::string key : {"isGateway", "isDefaultGateway"}) {
        CAPTURE(type);
        CAPTURE(ipam);
        FakeHost host;
        const Plugins plugins;
        makeElsewhere();
        const std::string outside = host.addOutside();
        host.addNamespace("c1");
        const Link link{type, R"("bridge": "br0", "ipMasq": true, ")" + key + R"(": true, )" + ipam};
        const Outcome added = callIn(type, "ADD", link.config());
        CHECK(gatewaysIn(resultOf(added)) == std::vector<std::string>{"10.50.0.1", "fd00:50::1"});
        const std::string bridge = outputOf({"ip", "-br", "addr", "show", "br0"});
        CHECK(contains(bridge, "10.50.0.1/24"));
        CHECK(contains(bridge, "fd00:50::1/112"));
        const bool byDefault = key == "isDefaultGateway" || type == "pons";
        for (const char* there : {"192.0.2.2", "2001:db8:1::2"}) {
          const Server server{outside, Transport::Tcp, endpoint(there, 90), "outside"};
          CHECK(ask("/run/netns/c1", Transport::Tcp, endpoint(there, 90)).has_value() == byDefault);
        }
        checkSilent(callIn(type, "CHECK", withPrevious(link.config(), added.out)));
        checkSilent(callIn(type, "DEL", link.config()));
      }
    }
  }
}

TEST_CASE("Without isGateway no gateway is made up; a container cannot have the gateway's address") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const std::string off = configOf("1.0.0", R"("isGateway": false, "ipMasq": false, )" + kStatic);
  CHECK(gatewaysIn(resultOf(add(off))) == std::vector<std::string>{"", ""});
  checkSilent(del(off));
  const std::string first =
      configOf("1.0.0", R"("ipam": {"type": "static", "addresses": [{"address": "10.50.0.1/24"}]})");
  checkError(add(first), ErrorCode::InvalidConfig, {"10.50.0.1/24", "gateway"});
}

TEST_CASE("On a bridge to a LAN the gateway may be a link-local address, or lie outside of the subnet") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  struct Lan {
    std::string range;
    std::string route;
    std::string there;
  };
  const Lan lans[] = {
      {R"({"subnet": "2001:db8:5::/64", "gateway": "fe80::1"})", "::/0", "2001:db8:99::1"},
      {R"({"subnet": "10.42.5.0/24", "gateway": "10.42.0.1"})", "0.0.0.0/0", "192.0.2.99"},
  };
  for (const std::string type : {"pons", "bridge"}) {
    for (const Lan& lan : lans) {
      CAPTURE(type);
      CAPTURE(lan.range);
      FakeHost host;
      const Plugins plugins;
      const std::string router = host.addNamespace("router");
      shell(
          "ip link add br-lan up type bridge; ip link add lan up master br-lan type veth peer name lan netns router;"
          "ip -n router link set lo up; ip -n router link set lan up; ip -n router addr add fe80::1/64 dev lan nodad;"
          "ip -n router addr add 2001:db8:5::ff/64 dev lan nodad; ip -n router addr add 10.42.0.1/16 dev lan;"
          "ip -n router addr add 2001:db8:99::1/128 dev lo nodad; ip -n router addr add 192.0.2.99/32 dev lo");
      host.addNamespace("c1");
      const Server server{router, Transport::Tcp, endpoint(lan.there, 90), "router"};
      const Unchanged unchanged{host};
      const Link link{type, R"("bridge": "br-lan", "isGateway": false, "ipMasq": false,
                               "ipam": {"type": "host-local", "dataDir": "/run/hl", "ranges": [[)" +
                                lan.range + R"(]], "routes": [{"dst": ")" + lan.route + "\"}]}"};
      Chain chain{{link}};
      chain.add();
      chain.check();
      CHECK(ask("/run/netns/c1", Transport::Tcp, endpoint(lan.there, 90)).has_value());
      chain.del();
    }
  }
  const std::string asGateway =
      configOf("1.0.0", R"("ipam": {"ranges": [[{"subnet": "10.42.5.0/24", "gateway": "10.42.0.1"}]]})");
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  checkError(add(asGateway), ErrorCode::InvalidConfig, {"10.42.5.0/24", "10.42.0.1", "isGateway"});
}

TEST_CASE("An IPv6 gateway where IPv6 is disabled: the error names the parameters, which help") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string six = configOf("1.0.0", R"("ipam": {"subnet": "fd00:42::/64"})");
  for (const char* link : {"all", "default"}) {
    outputOf({"sysctl", "-qw", std::string{"net.ipv6.conf."} + link + ".disable_ipv6=1"});
  }
  {
    const Unchanged unchanged{host};
    checkError(add(six), ErrorCode::Io, {"net.ipv6.conf.all.disable_ipv6 and net.ipv6.conf.default.disable_ipv6 to 0"});
  }
  for (const char* link : {"all", "default"}) {
    outputOf({"sysctl", "-qw", std::string{"net.ipv6.conf."} + link + ".disable_ipv6=0"});
  }
  CHECK(add(six).ok());
}
