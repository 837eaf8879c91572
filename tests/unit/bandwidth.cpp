// Rate limits: from the configuration and the runtime to what is asked of the kernel.
#include "plugin/cni/decode/bandwidth.h"

#include <doctest/doctest.h>

#include "tests/support/cni_input.h"

namespace {

using namespace pons;
using namespace pons::cni;
using namespace pons::test;

using Limits = std::optional<Bandwidth>;
using Decode = Result<Limits> (*)(const Field& config);

/// The code, where it fails, is that of an invalid configuration.
Result<Limits> decode(Decode decoder, const std::string& members) {
  const auto document = json::Document::parse("{" + members + "}");
  REQUIRE(document.ok());
  return decoder(Field{document->root(), ""});
}

Limits native(const std::string& members) { return decode(decodeBandwidth, members).value(); }
Limits reference(const std::string& members) { return decode(decodeReferenceBandwidth, members).value(); }

unsigned codeOf(Decode decoder, const std::string& members) {
  const auto decoded = decode(decoder, members);
  return decoded ? 0 : static_cast<unsigned>(decoded.error().code);
}

std::string runtime(const std::string& limits) { return R"("runtimeConfig": {"bandwidth": {)" + limits + "}}"; }
std::string own(const std::string& limits) { return R"("bandwidth": {)" + limits + "}"; }

constexpr std::uint64_t kTenPackets = 10 * 1514 * 8;

}  // namespace

TEST_CASE("a runtime's limits are read in CRI-O's and in containerd's spelling, and their bursts are capped") {
  const Limits expected = Bandwidth{.ingress = RateLimit{100'000'000, 2'000'000}, .egress = std::nullopt};
  for (const Decode decoder : {decodeBandwidth, decodeReferenceBandwidth}) {
    const auto decoded = [&](const std::string& limits) { return decode(decoder, runtime(limits)).value(); };
    CHECK(decoded(R"("ingressRate": 100000000, "ingressBurst": 34359738359, "egressRate": 0, "egressBurst": 0)") ==
          expected);
    CHECK(decoded(R"("IngressRate": 100000000, "IngressBurst": 4294967295, "EgressRate": 0, "EgressBurst": 0)") ==
          expected);
    CHECK(decoded(R"("ingressRate": 100000000)") == expected);
    CHECK(decoded(R"("ingressRate": 100000000, "ingressBurst": null, "egressRate": null)") == expected);
  }
}

TEST_CASE("a burst is at most 20 ms of the rate or ten packets, and otherwise what it says") {
  const auto burst = [](const std::string& limits) { return native(own(limits)).value().egress.value().burst; };
  CHECK(burst(R"("egressRate": 1000000000)") == 20'000'000);
  CHECK(burst(R"("egressRate": 1000000000, "egressBurst": 20000001)") == 20'000'000);
  CHECK(burst(R"("egressRate": 1000000000, "egressBurst": 19999999)") == 19'999'999);
  CHECK(burst(R"("egressRate": 1000000, "egressBurst": 34359738359)") == kTenPackets);
  CHECK(burst(R"("egressRate": 8, "egressBurst": 1)") == 1);
  CHECK(burst(R"("egressRate": 9223372036854775807)") == 9223372036854775807U / 50);
}

TEST_CASE("no limit is none, in whatever words") {
  for (const std::string limits : {"", R"("ingressRate": 0)", R"("ingressRate": 0, "ingressBurst": 0, "egressRate": 0)",
                                   R"("ingressRate": null)", R"("somethingElse": 1)"}) {
    CAPTURE(limits);
    CHECK(native(own(limits)) == std::nullopt);
    CHECK(native(runtime(limits)) == std::nullopt);
    CHECK(reference(limits) == std::nullopt);
    CHECK(reference(runtime(limits)) == std::nullopt);
  }
  CHECK(native(R"("bandwidth": null, "runtimeConfig": null)") == std::nullopt);
}

TEST_CASE("the file's limits win over the runtime's, as a whole") {
  const std::string asked = runtime(R"("ingressRate": 1000, "egressRate": 2000)");
  // "<ingress> <egress>"
  const auto rates = [](const Limits& limits) {
    const auto text = [](const std::optional<RateLimit>& limit) { return std::to_string(limit ? limit->rate : 0); };
    const Bandwidth bandwidth = limits.value_or(Bandwidth{});
    return text(bandwidth.ingress) + " " + text(bandwidth.egress);
  };
  CHECK(rates(native(asked)) == "1000 2000");
  CHECK(rates(native(own(R"("ingressRate": 500)") + ", " + asked)) == "500 0");
  CHECK(rates(native(own("") + ", " + asked)) == "0 0");
  CHECK(rates(reference(asked)) == "1000 2000");
  CHECK(rates(reference(R"("ingressRate": 500, )" + asked)) == "500 0");
  CHECK(rates(reference(R"("EgressRate": 0, )" + asked)) == "0 0");
  // Each form's keys mean nothing to the other.
  CHECK(rates(native(R"("ingressRate": 500, )" + asked)) == "1000 2000");
  CHECK(rates(reference(own(R"("ingressRate": 500)") + ", " + asked)) == "1000 2000");
}

TEST_CASE("limits that cannot be kept are refused with the key") {
  for (const std::string limits :
       {R"("ingressRate": -1)", R"("ingressRate": 7)", R"("ingressRate": "10M")", R"("ingressRate": 1.5)",
        R"("ingressRate": 9223372036854775808)", R"("ingressRate": 1000, "ingressBurst": -1)",
        R"("ingressBurst": 1000)", R"("ingressRate": 0, "ingressBurst": 4294967295)", R"("ingressRate": [])"}) {
    CAPTURE(limits);
    for (const Decode decoder : {decodeBandwidth, decodeReferenceBandwidth}) {
      const auto decoded = decode(decoder, runtime(limits));
      REQUIRE(!decoded.ok());
      CHECK(decoded.error().code == ErrorCode::InvalidConfig);
      CHECK(decoded.error().message.find("runtimeConfig.bandwidth.ingress") != std::string::npos);
    }
    CHECK(codeOf(decodeBandwidth, own(limits)) == 7);
    CHECK(codeOf(decodeReferenceBandwidth, limits) == 7);
  }
  CHECK(codeOf(decodeBandwidth, R"("bandwidth": 5)") == 7);
  CHECK(codeOf(decodeReferenceBandwidth, R"("runtimeConfig": {"bandwidth": []})") == 7);
}

TEST_CASE("limits reach the request of type pons") {
  const auto request = add(configWithIpam(own(R"("egressRate": 1000000)")));
  REQUIRE(request.ok());
  CHECK(request->config.bandwidth == Bandwidth{.ingress = {}, .egress = RateLimit{1'000'000, kTenPackets}});
  CHECK(!add(configWithIpam(""))->config.bandwidth.has_value());
  CHECK(addCode(configWithIpam(own(R"("egressRate": 7)"))) == 7);
}
