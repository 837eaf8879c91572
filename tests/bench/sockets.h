// Sockets in the namespaces of an experiment. What fails throws.
#pragma once

#include <string>

#include <netinet/in.h>

#include "netlib/base/unique_fd.h"

namespace bench {

sockaddr_in socketAddress(const std::string& address, unsigned port);

/// Of SOCK_STREAM or SOCK_DGRAM, in this thread's namespace.
netlib::UniqueFd openSocket(int type);
/// In that namespace, at that port of all addresses; of SOCK_STREAM it listens.
netlib::UniqueFd serverIn(const std::string& netns, int type, unsigned port);
void connectTo(const netlib::UniqueFd& socket, const sockaddr_in& to);

}  // namespace bench
