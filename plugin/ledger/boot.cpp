#include "plugin/ledger/boot.h"

#include <array>

#include "netlib/os/sysctl.h"

namespace pons {

using netlib::Directory;
using netlib::Result;

namespace {

constexpr const char* kBootFile = "boot";
constexpr std::array kTops{"networks", "ports", "holds", "originals", "staged"};

Result<std::string> thisBoot() { return netlib::sysctl::read("kernel/random/boot_id"); }

Result<std::optional<std::string>> bootOf(const Directory& state) {
  constexpr std::size_t kLimit = 64;  // a UUID
  auto text = state.readFile(kBootFile, kLimit);
  if (text.failedWith(ENOENT)) return std::optional<std::string>{};
  if (!text.ok()) return netlib::fail(text.error());
  return std::optional{std::move(*text)};
}

}  // namespace

Result<bool> isFromEarlierBoot(const Directory& state) {
  if (TRY(state.isVolatile())) return false;
  const auto boot = TRY(bootOf(state));
  return boot && *boot != TRY(thisBoot());
}

Result<> noteBoot(const Directory& state) {
  if (TRY(state.isVolatile())) return {};
  return state.replaceFile(kBootFile, TRY(thisBoot()));
}

Result<bool> resetAfterReboot(const Directory& state) {
  if (!TRY(isFromEarlierBoot(state))) return false;  // another process did it before we got the lock
  bool hadAny = false;
  for (const char* top : kTops) {
    const auto names = state.list(top, 1);
    hadAny |= names.ok() && !names->empty();
    TRY(state.removeTree(top));
  }
  // The boot id last: if this process is killed, the next one repeats the removal.
  TRY(noteBoot(state));
  return hadAny;
}

}  // namespace pons
