#include "plugin/cni/result.h"

#include <doctest/doctest.h>

#include "plugin/json/json.h"

namespace {

using namespace pons::cni;

netlib::IpAddress ip(std::string_view text) { return *netlib::IpAddress::parse(text); }
netlib::IpPrefix net(std::string_view text) { return *netlib::IpPrefix::parse(text); }

AddResult dualStack() {
  AddResult result;
  result.interfaces = {{.name = "pons0", .mac = "02:00:00:00:00:01", .mtu = 1500},
                       {.name = "eth0",
                        .mac = "02:00:00:00:00:02",
                        .mtu = 1500,
                        .sandbox = "/run/netns/a",
                        .socketPath = "/run/s",
                        .pciId = "0000:04:00.5"}};
  result.addresses = {{.interface = 1, .address = net("10.42.0.2/24"), .gateway = ip("10.42.0.1")},
                      {.interface = std::nullopt, .address = net("fd00:42::2/64"), .gateway = std::nullopt}};
  result.routes = {{.destination = net("0.0.0.0/0"),
                    .gateway = ip("10.42.0.1"),
                    .mtu = 1400,
                    .advmss = 1360,
                    .priority = 100,
                    .table = 254,
                    .scope = 0},
                   {.destination = net("::/0"), .gateway = std::nullopt, .table = std::nullopt, .scope = std::nullopt}};
  result.dns = {.nameservers = {ip("10.0.0.10")}, .domain = "local", .search = {"a.b"}, .options = {"ndots:5"}};
  return result;
}

/// The JSON text without its white space, which the golden texts below leave out to be readable.
std::string compact(const std::string& text) {
  auto document = pons::json::Document::parse(text);
  REQUIRE(document.ok());
  return document->root().text();
}

std::string printed(const AddResult& result, Version version) { return compact(printResult(result, version).value()); }

Result<AddResult> parsed(const std::string& text, Version version = kNewestVersion) {
  const auto document = pons::json::Document::parse("{\"prevResult\": " + text + "}");
  REQUIRE(document.ok());
  return parsePrevResult((*document)["prevResult"], version);
}

constexpr std::string_view kDns =
    R"("dns":{"nameservers":["10.0.0.10"],"domain":"local","search":["a.b"],"options":["ndots:5"]}})";

}  // namespace

TEST_CASE("golden: 1.1.0 has every field") {
  CHECK(printed(dualStack(), Version::V1_1_0) ==
        R"({"cniVersion":"1.1.0","interfaces":[{"name":"pons0","mac":"02:00:00:00:00:01","mtu":1500},)"
        R"({"name":"eth0","mac":"02:00:00:00:00:02","mtu":1500,"sandbox":"/run/netns/a","socketPath":"/run/s",)"
        R"("pciID":"0000:04:00.5"}],"ips":[{"interface":1,"address":"10.42.0.2/24","gateway":"10.42.0.1"},)"
        R"({"address":"fd00:42::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.42.0.1","mtu":1400,"advmss":1360,)"
        R"("priority":100,"table":254,"scope":0},{"dst":"::/0"}],)" +
            std::string{kDns});
}

TEST_CASE("golden: 1.0.0 has neither mtu nor socketPath, pciID and route attributes") {
  CHECK(printed(dualStack(), Version::V1_0_0) ==
        R"({"cniVersion":"1.0.0","interfaces":[{"name":"pons0","mac":"02:00:00:00:00:01"},)"
        R"({"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/run/netns/a"}],)"
        R"("ips":[{"interface":1,"address":"10.42.0.2/24","gateway":"10.42.0.1"},{"address":"fd00:42::2/64"}],)"
        R"("routes":[{"dst":"0.0.0.0/0","gw":"10.42.0.1"},{"dst":"::/0"}],)" +
            std::string{kDns});
}

TEST_CASE("golden: 0.3.0, 0.3.1 and 0.4.0 mark each address with its family") {
  for (const Version version : {Version::V0_3_0, Version::V0_3_1, Version::V0_4_0}) {
    CHECK(printed(dualStack(), version) ==
          R"({"cniVersion":")" + std::string{textOf(version)} +
              R"(","interfaces":[{"name":"pons0","mac":"02:00:00:00:00:01"},)"
              R"({"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/run/netns/a"}],)"
              R"("ips":[{"version":"4","interface":1,"address":"10.42.0.2/24","gateway":"10.42.0.1"},)"
              R"({"version":"6","address":"fd00:42::2/64"}],)"
              R"("routes":[{"dst":"0.0.0.0/0","gw":"10.42.0.1"},{"dst":"::/0"}],)" +
              std::string{kDns});
  }
}

TEST_CASE("golden: 0.1.0 and 0.2.0 have the first address of each family and its routes") {
  AddResult result = dualStack();
  result.addresses.push_back({.interface = 1, .address = net("10.43.0.2/24"), .gateway = ip("10.43.0.1")});
  for (const Version version : {Version::V0_1_0, Version::V0_2_0}) {
    CHECK(printed(result, version) ==
          R"({"cniVersion":")" + std::string{textOf(version)} +
              R"(","ip4":{"ip":"10.42.0.2/24","gateway":"10.42.0.1","routes":[{"dst":"0.0.0.0/0","gw":"10.42.0.1"}]},)"
              R"("ip6":{"ip":"fd00:42::2/64","routes":[{"dst":"::/0"}]},)" +
              std::string{kDns});
    CHECK_FALSE(printResult(AddResult{}, version).ok());
  }
}

TEST_CASE("golden: the layout is the reference's, four spaces and no newline at the end") {
  AddResult result;
  result.addresses = {{.interface = std::nullopt, .address = net("10.88.0.3/24"), .gateway = std::nullopt}};
  CHECK(printResult(result, Version::V0_2_0).value() ==
        "{\n    \"cniVersion\": \"0.2.0\",\n    \"ip4\": {\n        \"ip\": \"10.88.0.3/24\"\n    },\n"
        "    \"dns\": {}\n}");
}

TEST_CASE("an empty dns is printed up to 0.4.0 and left out since 1.0.0") {
  CHECK(printed({}, Version::V0_3_0) == R"({"cniVersion":"0.3.0","dns":{}})");
  CHECK(printed({}, Version::V0_4_0) == R"({"cniVersion":"0.4.0","dns":{}})");
  CHECK(printed({}, Version::V1_0_0) == R"({"cniVersion":"1.0.0"})");
  CHECK(printed({}, Version::V1_1_0) == R"({"cniVersion":"1.1.0"})");
}

TEST_CASE("a prevResult of 1.1.0 says again what was printed") {
  CHECK(parsed(printResult(dualStack(), Version::V1_1_0).value()).value() == dualStack());
}

TEST_CASE("a prevResult of every version is read and printed again unchanged") {
  AddResult original = dualStack();
  for (const Version version : {Version::V0_1_0, Version::V0_2_0, Version::V0_3_0, Version::V0_3_1, Version::V0_4_0,
                                Version::V1_0_0, Version::V1_1_0}) {
    CAPTURE(textOf(version));
    const std::string text = printResult(original, version).value();
    const auto result = parsed(text);  // it names its own version, which wins over that of the configuration
    REQUIRE(result.ok());
    CHECK(printResult(*result, version).value() == text);
  }
}

TEST_CASE("a prevResult without cniVersion is in the version of the configuration") {
  CHECK(parsed(R"({"ip4": {"ip": "10.42.0.2/24"}})", Version::V0_2_0)->addresses.size() == 1);
  CHECK(parsed(R"({"ips": [{"address": "10.42.0.2/24"}]})", Version::V0_4_0)->addresses.size() == 1);
  CHECK(parsed("{}").value() == AddResult{});
}

TEST_CASE("a prevResult with Go-cased keys and nulls is read") {
  const auto result = parsed(R"({"Interfaces": [{"Name": "lo", "Mac": null, "Sandbox": ""}], "IPs": null,)"
                             R"( "Routes": [{"Dst": "10.0.0.0/8", "GW": ""}], "DNS": {"Nameservers": null}})");
  REQUIRE(result.ok());
  CHECK(result->interfaces == std::vector<Interface>{{.name = "lo"}});
  CHECK_FALSE(result->routes.at(0).gateway.has_value());
}

TEST_CASE("nonsense in a prevResult: error 6 that names the place") {
  for (const std::string text :
       {"7",
        "\"x\"",
        "[]",
        "true",
        R"({"cniVersion": "9.9.9"})",
        R"({"cniVersion": 1})",
        R"({"interfaces": {}})",
        R"({"interfaces": [7]})",
        R"({"interfaces": [{"name": 7}]})",
        R"({"interfaces": [{"mtu": -1}]})",
        R"({"ips": 7})",
        R"({"ips": [null, 7]})",
        R"({"ips": [{}]})",
        R"({"ips": [{"address": "10.42.0.2"}]})",
        R"({"ips": [{"address": "10.42.0.2/33"}]})",
        R"({"ips": [{"address": "10.42.0.2/24", "gateway": "x"}]})",
        R"({"ips": [{"address": "10.42.0.2/24", "interface": 0}]})",
        R"({"interfaces": [{"name": "lo"}], "ips": [{"address": "10.42.0.2/24", "interface": 1}]})",
        R"({"interfaces": [{"name": "lo"}], "ips": [{"address": "10.42.0.2/24", "interface": -1}]})",
        R"({"routes": [{}]})",
        R"({"routes": [{"dst": "x"}]})",
        R"({"dns": 7})",
        R"({"dns": {"nameservers": ["x"]}})",
        R"({"cniVersion": "0.2.0", "ip4": {}})",
        R"({"cniVersion": "0.2.0", "ip6": "x"})"}) {
    CAPTURE(text);
    const auto result = parsed(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::Decode);
    CHECK(result.error().message.find("prevResult") != std::string::npos);
  }
}

TEST_CASE("merge appends what is ours and moves its indexes along") {
  AddResult previous;
  previous.interfaces = {{.name = "lo", .sandbox = "/run/netns/a"}};
  previous.addresses = {{.interface = 0, .address = net("127.0.0.1/8"), .gateway = std::nullopt}};
  previous.dns.domain = "old";

  const AddResult merged = merge(previous, dualStack());
  REQUIRE(merged.interfaces.size() == 3);
  CHECK(merged.interfaces[0].name == "lo");
  REQUIRE(merged.addresses.size() == 3);
  CHECK(merged.addresses[0].interface == 0);
  CHECK(merged.addresses[1].interface == 2);
  CHECK_FALSE(merged.addresses[2].interface.has_value());
  CHECK(merged.routes == dualStack().routes);
  CHECK(merged.dns == dualStack().dns);

  CHECK(merge(previous, AddResult{}).dns.domain == "old");
  CHECK(merge(AddResult{}, dualStack()) == dualStack());
}
