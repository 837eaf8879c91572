// Sockets of this host that listen on a port, and their programs.
#pragma once

#include <string>
#include <vector>

#include "netlib/filter/bound_sockets.h"

#include "plugin/model/attachment.h"

namespace pons::ctl {

using Listener = netlib::bound_sockets::BoundSocket;

/// See netlib::bound_sockets::list().
netlib::Result<std::vector<Listener>> listenersOf(Protocol protocol);

/// Whether the listener would get the packets to that published port if they were not translated. A port published at
/// all addresses is one at 127.0.0.1 with `atLoopback` alone, and never one at ::1.
bool isReplaced(const Listener& listener, const PortForward& forward, bool atLoopback);

struct Program {
  std::string name;  ///< its first 15 bytes, as in /proc/PID/comm
  std::string pid;
};
/// A process that has the socket open; nothing if there is none below /proc, as for one in another PID namespace.
std::optional<Program> programOf(std::uint32_t inode);

}  // namespace pons::ctl
