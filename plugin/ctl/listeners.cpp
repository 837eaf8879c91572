#include "plugin/ctl/listeners.h"

#include <filesystem>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include "plugin/ctl/files.h"

namespace pons::ctl {

using netlib::Family;
using netlib::IpAddress;

namespace {

std::optional<Listener> listenerIn(const netlib::Message& message) {
  const auto socket = message.family<inet_diag_msg>();
  if (!socket) return std::nullopt;
  const auto* source = reinterpret_cast<const std::uint8_t*>(socket->id.idiag_src);
  const auto address = IpAddress::fromBytes({source, socket->idiag_family == AF_INET ? 4U : 16U});
  if (!address) return std::nullopt;
  const bool isV6Only = message.attributes<inet_diag_msg>().u8(INET_DIAG_SKV6ONLY).value_or(0) != 0;
  return Listener{*address, ntohs(socket->id.idiag_sport), !address->isIpv4() && address->isUnspecified() && !isV6Only,
                  socket->idiag_inode};
}

bool leadsTo(const std::filesystem::path& descriptor, const std::string& wanted) {
  std::error_code error;
  return std::filesystem::read_symlink(descriptor, error) == wanted;
}

}  // namespace

netlib::Result<std::vector<Listener>> listenersOf(Protocol protocol) {
  auto diagnosis = TRY(netlib::Socket::open(netlib::Socket::Subsystem::SocketDiagnosis));
  std::vector<Listener> listeners;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    inet_diag_req_v2 wanted{};
    wanted.sdiag_family = static_cast<std::uint8_t>(family);
    wanted.sdiag_protocol = static_cast<std::uint8_t>(protocol);
    wanted.idiag_states = 1U << unsigned{protocol == Protocol::Udp ? TCP_CLOSE : TCP_LISTEN};
    netlib::Batch batch;
    batch.begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP | NLM_F_ACK, wanted,
                "list the host's " + std::string{nameOf(protocol)} + " sockets");
    const auto answers = TRY(diagnosis.request(batch));
    for (const netlib::Message& message : answers.front().messages) {
      if (auto listener = listenerIn(message)) listeners.push_back(*listener);
    }
  }
  return listeners;
}

bool isReplaced(const Listener& listener, const PortForward& forward, bool atLoopback) {
  if (listener.port != forward.hostPort) return false;
  if (listener.isDualStack) return true;
  if (listener.address.family() != forward.hostAddress.family()) return false;
  if (listener.address.isUnspecified() || listener.address == forward.hostAddress) return true;
  if (!forward.hostAddress.isUnspecified()) return false;
  return !listener.address.isLoopback() || (atLoopback && listener.address.isIpv4());
}

std::optional<Program> programOf(std::uint32_t inode) {
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  using Entries = std::filesystem::directory_iterator;
  std::error_code error;  // a process may end meanwhile
  for (Entries process{"/proc", error}; process != Entries{}; process.increment(error)) {
    const std::string pid = process->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    for (Entries open{process->path() / "fd", error}; open != Entries{}; open.increment(error)) {
      if (!leadsTo(open->path(), wanted)) continue;
      const auto name = readText(process->path() / "comm");
      return Program{name ? name->substr(0, name->find('\n')) : "a program", pid};
    }
  }
  return std::nullopt;
}

}  // namespace pons::ctl
