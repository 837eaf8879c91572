#include <algorithm>

#include <net/if.h>

#include "netlib/os/sysctl.h"

#include "plugin/context/optional_sysctls.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
namespace sysctl = netlib::sysctl;

namespace {

/// In the namespace of this thread.
netlib::Result<> writeAll(const std::map<std::string, std::string>& sysctls) {
  for (const auto& [name, value] : sysctls) TRY(sysctl::write(name, value));
  return {};
}

/// The current values of the same sysctls.
netlib::Result<std::map<std::string, std::string>> readAll(const std::map<std::string, std::string>& sysctls) {
  std::map<std::string, std::string> current;
  for (const auto& [name, value] : sysctls) current[name] = TRY(sysctl::read(name));
  return current;
}

netlib::Result<> setLink(Container& container, const netlib::IfName& ifName, const Tuning& tuning) {
  const unsigned index = TRY(link::find(container.route, ifName)).index;
  netlib::Batch batch;
  if (tuning.mac) link::appendSetMac(batch, index, *tuning.mac);
  if (tuning.mtu) link::appendSetMtu(batch, index, *tuning.mtu);
  if (tuning.promiscuous)
    link::appendSetFlags(batch, index, *tuning.promiscuous ? unsigned{IFF_PROMISC} : 0U, IFF_PROMISC);
  if (tuning.allMulticast)
    link::appendSetFlags(batch, index, *tuning.allMulticast ? unsigned{IFF_ALLMULTI} : 0U, IFF_ALLMULTI);
  if (tuning.transmitQueueLength) link::appendSetTransmitQueueLength(batch, index, *tuning.transmitQueueLength);
  if (!batch.empty()) TRY(container.route.request(batch));
  return {};
}

/// Nothing where the namespace of the ADD no longer exists, and all settings with it.
std::optional<Container> containerOf(const Attachment& attachment) {
  auto container = Container::open(attachment.netnsPath);
  if (!container) return std::nullopt;
  return idOf(*container) == attachment.netns ? std::optional{std::move(*container)} : std::nullopt;
}

std::string textOf(const std::string& value) { return value; }
std::string textOf(const std::optional<netlib::MacAddress>& mac) { return mac ? mac->toString() : "not set"; }
std::string textOf(const std::optional<bool>& on) { return on.value_or(false) ? "on" : "off"; }
std::string textOf(const std::optional<std::uint32_t>& number) { return std::to_string(number.value_or(0)); }

template <class T>
void compare(Differences& found, const std::string& what, const T& wanted, const T& current) {
  addIfDiffers(found, {.what = what, .expected = textOf(wanted), .actual = textOf(current)});
}

class ContainerTuned final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "tuning of " + attachment_.key.ifName.toString(); }

  netlib::Result<> apply(Host& host) const override {
    TRY(host.container->netns.inside([&] { return writeAll(attachment_.tuning->sysctls); }));
    return setLink(*host.container, attachment_.key.ifName, *attachment_.tuning);
  }

  netlib::Result<> undo(Host& host) const override {
    std::optional<Container> reopened;
    if (!host.container) reopened = containerOf(attachment_);
    Container* container = host.container ? &*host.container : reopened ? &*reopened : nullptr;
    if (container == nullptr) return {};
    const Tuning& saved = *attachment_.savedTuning;
    TRY(container->netns.inside([&] { return setWherePossible(host, saved.sysctls); }));
    // The interface no longer exists: there is nothing to restore.
    return netlib::ignoring(ENODEV, setLink(*container, attachment_.key.ifName, saved));
  }

  bool isInside() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const Tuning& wanted = *attachment_.tuning;
    const auto read = currentTuning(*host.container, attachment_.key.ifName, wanted);
    if (read.failedWith(ENODEV)) {
      return Differences{missing("interface " + attachment_.key.ifName.toString(), Remedy::RestartContainer)};
    }
    const Tuning current = TRY(read);
    Differences found;
    for (const auto& [name, value] : wanted.sysctls) {
      compare(found, "sysctl " + name, sysctl::withSpaces(value), sysctl::withSpaces(current.sysctls.at(name)));
    }
    const std::string of = " of " + attachment_.key.ifName.toString();
    compare(found, "MAC" + of, wanted.mac, current.mac);
    compare(found, "MTU" + of, wanted.mtu, current.mtu);
    compare(found, "promiscuous mode" + of, wanted.promiscuous, current.promiscuous);
    compare(found, "all-multicast mode" + of, wanted.allMulticast, current.allMulticast);
    compare(found, "transmit queue length" + of, wanted.transmitQueueLength, current.transmitQueueLength);
    return found;
  }
};

}  // namespace

netlib::Result<Tuning> currentTuning(Container& container, const netlib::IfName& ifName, const Tuning& wanted) {
  const link::Link interface = TRY(link::find(container.route, ifName));
  Tuning current;
  current.sysctls = TRY(container.netns.inside([&] { return readAll(wanted.sysctls); }));
  if (wanted.mac) current.mac = interface.mac;
  if (wanted.mtu) current.mtu = interface.mtu;
  if (wanted.promiscuous) current.promiscuous = interface.promiscuous();
  if (wanted.allMulticast) current.allMulticast = interface.allMulticast();
  if (wanted.transmitQueueLength) current.transmitQueueLength = interface.transmitQueueLength;
  return current;
}

StepPointer containerTuned(const Attachment& attachment) { return std::make_unique<const ContainerTuned>(attachment); }

}  // namespace pons
