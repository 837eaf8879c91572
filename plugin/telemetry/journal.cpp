#include "plugin/telemetry/journal.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <endian.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"

namespace pons::journal {

namespace {

constexpr std::string_view kSocket = "/run/systemd/journal/socket";
/// Keeps the datagram below the socket send buffer size: sendto() fails with EMSGSIZE above it.
constexpr std::size_t kMaxMessage = 32U << 10U;

/// Name, little-endian 64-bit length, value: this form allows any byte in the value, including newlines.
void append(std::string& entry, const std::string& name, std::string_view value) {
  const std::uint64_t length = htole64(value.size());
  entry += name + "\n";
  entry.append(reinterpret_cast<const char*>(&length), sizeof length);
  entry.append(value).append("\n");
}

std::string fieldName(std::string_view name) {
  std::string text = "PONS_";
  std::ranges::transform(name, std::back_inserter(text), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

bool send(int priority, std::string_view message, const log::Fields& fields) {
  std::string entry;
  append(entry, "MESSAGE", message.substr(0, kMaxMessage));
  append(entry, "PRIORITY", std::to_string(priority));
  append(entry, "SYSLOG_IDENTIFIER", "pons");
  for (const log::Field& field : fields) append(entry, fieldName(field.name), field.value);

  const netlib::UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(kSocket, address.sun_path);
  return sendto(socket.get(), entry.data(), entry.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0;
}

}  // namespace pons::journal
