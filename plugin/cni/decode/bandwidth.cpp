#include "plugin/cni/decode/bandwidth.h"

#include <algorithm>
#include <array>

namespace pons::cni {

namespace {

/// Caps the token bucket at 20 ms of the rate (two ticks at CONFIG_HZ=100: how late the kernel may serve a queue)
/// or ten packets of 1514 bytes. A larger bucket disables the limit after each idle period: with the defaults of
/// containerd (512 MiB) or CRI-O (4 GiB), for minutes.
std::uint64_t largestBurst(std::uint64_t rate) {
  constexpr std::uint64_t kBucketsPerSecond = 50;
  constexpr std::uint64_t kTenPackets = std::uint64_t{10} * 1514 * 8;
  return std::max(rate / kBucketsPerSecond, kTenPackets);
}

Result<std::optional<RateLimit>> decodeLimit(const Field& rateField, const Field& burstField) {
  const std::uint64_t rate = TRY(rateField.amount()).value_or(0);
  const std::uint64_t burst = TRY(burstField.amount()).value_or(0);
  if (rate == 0 && burst != 0) return burstField.invalid("0, because \"" + rateField.path() + "\" is not set");
  if (rate == 0) return std::optional<RateLimit>{};
  if (rate < kMinRate) return rateField.invalid("0 or at least " + std::to_string(kMinRate));
  const std::uint64_t largest = largestBurst(rate);
  return std::optional{RateLimit{.rate = rate, .burst = burst == 0 ? largest : std::min(burst, largest)}};
}

Result<std::optional<Bandwidth>> decodeLimits(const Field& limits) {
  Bandwidth bandwidth;
  bandwidth.ingress = TRY(decodeLimit(limits["ingressRate"], limits["ingressBurst"]));
  bandwidth.egress = TRY(decodeLimit(limits["egressRate"], limits["egressBurst"]));
  return bandwidth == Bandwidth{} ? std::nullopt : std::optional{bandwidth};
}

bool hasLimits(const Field& config) {
  constexpr std::array kKeys{"ingressRate", "ingressBurst", "egressRate", "egressBurst"};
  return std::ranges::any_of(kKeys, [&](const char* key) { return config[key].present(); });
}

}  // namespace

Result<std::optional<Bandwidth>> decodeBandwidth(const Field& config) {
  const Field own = config["bandwidth"];
  return decodeLimits(TRY((own.present() ? own : config["runtimeConfig"]["bandwidth"]).object()));
}

Result<std::optional<Bandwidth>> decodeReferenceBandwidth(const Field& config) {
  if (hasLimits(config)) return decodeLimits(config);
  return decodeLimits(TRY(config["runtimeConfig"]["bandwidth"].object()));
}

}  // namespace pons::cni
