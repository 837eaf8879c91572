// Programs of the host on published ports. The DNAT of a published port is earlier than the delivery to a socket, so
// such a program gets no connections.
#include <algorithm>
#include <array>

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/listeners.h"

namespace pons::ctl {

namespace {

/// They listen to keep others from the port that they had published by pons.
bool isHolder(const std::string& program) {
  constexpr std::array<std::string_view, 4> kHolders{"nerdctl", "rootlesskit", "rootlessport", "conmon"};
  return std::ranges::find(kHolders, program) != kHolders.end();
}

struct Published {
  const Attachment* attachment;
  const PortForward* forward;
};

std::vector<Published> publishedBy(const Statuses& statuses, Protocol protocol) {
  std::vector<Published> all;
  for (const AttachmentStatus& status : statuses) {
    if (!status.attachment) continue;
    for (const PortForward& forward : status.attachment->forwards) {
      if (forward.protocol == protocol) all.push_back({&*status.attachment, &forward});
    }
  }
  return all;
}

std::string textOf(const Listener& listener, Protocol protocol) {
  return ctl::textOf(listener.address, listener.port) + "/" + std::string{nameOf(protocol)};
}

void report(Area& area, const Listener& listener, Protocol protocol, const std::string& container) {
  const auto program = programOf(listener.inode);
  const std::string name =
      program ? program->name + " (PID " + program->pid + ")" : "a program that /proc does not have";
  const std::string what =
      name + " listens at " + textOf(listener, protocol) + ", which " + container + " has published";
  if (program && isHolder(program->name)) {
    area.note(FindingId::PortHeld, what + ": it keeps the port for its container");
  } else {
    area.warning(FindingId::PortShadowed, what + ": connections go to the container, not to that program",
                 "publish another host port, or stop the program or let it listen at another one");
  }
}

void checkProtocol(Area& area, const std::vector<Published>& published, const std::vector<Listener>& listeners,
                   Protocol protocol) {
  std::set<std::string> found;  // several sockets may share an address (SO_REUSEPORT)
  for (const Listener& listener : listeners) {
    const auto by = std::ranges::find_if(published, [&](const Published& one) {
      return isReplaced(listener, *one.forward, one.attachment->loopbackPorts);
    });
    if (by == published.end() || !found.insert(textOf(listener, protocol)).second) continue;
    report(area, listener, protocol, containerText(*by->attachment));
  }
}

}  // namespace

void checkPorts(CheckResults& results, const Statuses& statuses) {
  Area area{results, "ports"};
  std::size_t all = 0;
  std::size_t looked = 0;
  for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Sctp}) {
    const std::vector<Published> published = publishedBy(statuses, protocol);
    all += published.size();
    if (published.empty()) continue;
    if (const auto listeners = listenersOf(protocol); listeners) {
      looked += published.size();
      checkProtocol(area, published, *listeners, protocol);
    } else {
      area.notChecked("programs on published " + std::string{nameOf(protocol)} + " ports", listeners.error().message);
    }
  }
  if (all == 0) return area.notChecked("programs on published ports", "no port is published");
  if (looked > 0 && area.found() == 0) {
    area.fine(counted(looked, "published port") + ": no program of the host listens there");
  }
}

}  // namespace pons::ctl
