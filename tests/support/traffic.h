// Real traffic between namespaces: servers that answer with the client's address, and a client. Everything works in
// IPv4 and IPv6.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "netlib/values/ip_address.h"

#include "tests/support/process.h"

namespace support {

enum class Transport : std::uint8_t { Tcp, Udp };

/// Where a socket is made: the path of a network namespace, or the namespace of the calling thread.
using Place = std::optional<std::string>;
inline const Place kHere = std::nullopt;

struct Endpoint {
  netlib::IpAddress address;
  std::uint16_t port;
};

/// For test code: the address must be valid.
Endpoint endpoint(const std::string& address, std::uint16_t port);

/// Answers every TCP connection and every UDP datagram with "<label> <address of the peer as seen here>". Ready when
/// constructed; its process ends with this object and with the test.
class Server {
 public:
  Server(const Place& place, Transport transport, const Endpoint& local, const std::string& label);

 private:
  std::optional<ForkedProcess> process_;
};

/// Answers every UDP datagram at port 53 of that address with its own bytes and DNS' bit QR: what a query takes for an
/// answer. Ready and ended like Server.
class DnsServer {
 public:
  DnsServer(const Place& place, const std::string& address);

 private:
  std::optional<ForkedProcess> process_;
};

struct AskOptions {
  /// Bound before connecting; a fixed source port continues the same UDP flow in a later ask().
  std::optional<Endpoint> source;
  /// A lost first neighbour advertisement on a busy machine is solicited again after one second (retrans_time).
  std::chrono::milliseconds timeout{3000};
};

/// What a server answers; nothing where no answer comes in time, the connection is refused or there is no route. Only
/// an answer that seems to come from `destination` itself counts.
std::optional<std::string> ask(const Place& place, Transport transport, const Endpoint& destination,
                               const AskOptions& options = {});

/// How that ends: 0 with an answer, ETIMEDOUT with neither answer nor refusal in time; else as the kernel reports it:
/// ECONNREFUSED for a TCP reset, EHOSTUNREACH and EACCES for "administratively prohibited" of ICMP and ICMPv6.
int errorOfAsking(const Place& place, Transport transport, const Endpoint& destination, const AskOptions& options = {});

/// How fast TCP goes from one place to a server at `destination` in the other: payload bits a second, in the `measured`
/// time that begins `after` the connection was made. 0 where there is no connection.
struct Transfer {
  Place from;
  Place to;
  Endpoint destination;
  std::chrono::milliseconds after{1000};
  std::chrono::milliseconds measured{2000};
};
double bitsPerSecond(const Transfer& transfer);

}  // namespace support
