// host-local's files: a file with content has an owner and is deleted with it; pons reads back what it writes.
#include "plugin/ledger/host_local.h"

#include <filesystem>
#include <fstream>

#include "tests/fuzz/targets.h"
#include "tests/support/scratch.h"

namespace {

using namespace pons;

const NetworkName kNetwork = NetworkName::parse("demo").value();
const netlib::IpAddress kAddress = netlib::IpAddress::parse("10.42.0.7").value();
constexpr std::size_t kMaxBytes = 4096;

/// strings.TrimSpace of the reference.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  while (!text.empty() && kSpace.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  while (!text.empty() && kSpace.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

/// As the reference reads it: up to the line break, and what follows.
HostLocalOwner modelOf(std::string_view content) {
  content = trimmed(content);
  const std::size_t end = content.find("\r\n");
  if (end == std::string_view::npos) return {std::string{content}, {}};
  return {std::string{content.substr(0, end)}, std::string{content.substr(end + 2)}};
}

class Store {
 public:
  Store() { std::filesystem::create_directory(scratch_ / "demo"); }

  void write(const std::string& name, std::string_view content) const {
    std::ofstream{scratch_ / ("demo/" + name), std::ios::binary} << content;
  }
  HostLocal open() const { return HostLocal::peek(scratch_.path(), kNetwork).value().value(); }

 private:
  support::Scratch scratch_;
};

void checkOwner(const Store& store, std::string_view content) {
  store.write(kAddress.toString(), content);
  const HostLocal files = store.open();
  HOLDS(files.has(kAddress).value());
  const auto owner = files.ownerOf(kAddress);
  HOLDS(owner.ok());
  if (content.size() > kMaxBytes) {
    HOLDS(owner->has_value());  // an unknown owner
    return;
  }
  const HostLocalOwner model = modelOf(content);
  HOLDS(files.belongsTo(model, kAddress).value());
  HOLDS(owner->has_value() == !model.container.empty());
  HOLDS(!files.belongsTo({model.container + "x", model.ifName}, kAddress).value());
  HOLDS(files.addressesOf(model).value() == std::vector{kAddress});
  HOLDS(files.release(model, kAddress).ok());
  HOLDS(!files.has(kAddress).value());
}

void checkLast(const Store& store, std::string_view content) {
  store.write("last_reserved_ip.0", content);
  const auto last = store.open().lastOf(0);
  HOLDS(last.ok() == (content.size() <= kMaxBytes));
  if (last) HOLDS(*last == netlib::IpAddress::parse(trimmed(content)));
}

/// For owners of the kind that pons has.
void checkReserved(const Store& store, std::string_view input) {
  const auto container = ContainerId::parse(input.substr(0, input.find(' ')));
  if (!container) return;
  const HostLocalOwner owner{container->toString(), "eth0"};
  const HostLocal files = store.open();
  HOLDS(files.reserve(owner, kAddress).ok());
  HOLDS(files.belongsTo(owner, kAddress).value());
  HOLDS(files.reserve({"other", "eth0"}, kAddress).failedWith(netlib::Cause::InUse) || owner.container == "other");
  HOLDS(files.releaseAll(owner).ok());
  HOLDS(!files.has(kAddress).value());
}

}  // namespace

void fuzz::hostLocal(std::string_view input) {
  static const Store store;
  checkOwner(store, input);
  checkLast(store, input);
  checkReserved(store, input);
  store.open().removeStale().value();
}
