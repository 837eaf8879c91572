// ponsctl probe: packets from the network namespace of a container, and where they end.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "plugin/context/context.h"

namespace pons::ctl {

enum class Verdict : std::uint8_t {
  Answered,
  Denied,    ///< by the configuration, and not answered
  Fault,     ///< not answered, or answered although the configuration denies it
  Unproved,  ///< nothing was sent, or it is not known whether an answer should come
};

/// "answered", "denied", "fault", "unproved"
std::string_view nameOf(Verdict verdict);

struct Probed {
  std::string target;   ///< "gateway", "neighbour c2", "next hop", "published tcp 8080", "nameserver"
  std::string address;  ///< with the port, if it has one; "IPv6" where there is none
  Verdict verdict;
  std::string result;                                            ///< "answered in 0.3 ms"
  std::optional<std::chrono::microseconds> time = std::nullopt;  ///< until the answer
};

/// One after the other, with that timeout each; several packets where the first one is not answered. `host.container`
/// is the attachment's namespace.
std::vector<Probed> probesOf(Host& host, const Attachment& attachment,
                             const std::vector<netlib::IpAddress>& nameservers, std::chrono::milliseconds timeout);

}  // namespace pons::ctl
