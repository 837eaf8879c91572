#include "plugin/ctl/listeners.h"

#include <filesystem>

#include "plugin/ctl/files.h"

namespace pons::ctl {

namespace {

bool leadsTo(const std::filesystem::path& descriptor, const std::string& wanted) {
  std::error_code error;
  return std::filesystem::read_symlink(descriptor, error) == wanted;
}

}  // namespace

netlib::Result<std::vector<Listener>> listenersOf(Protocol protocol) {
  auto diagnosis = TRY(netlib::Socket::open(netlib::Socket::Subsystem::SocketDiagnosis));
  return netlib::bound_sockets::list(diagnosis, static_cast<std::uint8_t>(protocol));
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
