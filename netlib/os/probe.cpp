#include "netlib/os/probe.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "netlib/base/unique_fd.h"

namespace netlib::probe {

namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::span<const std::uint8_t>;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

template <class T>
SocketAddress stored(const T& address) {
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.size = sizeof address;
  return result;
}

SocketAddress socketAddressOf(const Target& target) {
  const auto bytes = target.address.bytes();
  if (target.address.isIpv4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(target.port);
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
    return stored(address);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(target.port);
  std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
  if (target.link && target.address.isLinkLocal()) {
    address.sin6_scope_id = if_nametoindex(target.link->toString().c_str());
  }
  return stored(address);
}

std::optional<IpAddress> addressIn(const sockaddr_storage& storage) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&storage);
  if (storage.ss_family == AF_INET) return IpAddress::fromBytes(Bytes{bytes + offsetof(sockaddr_in, sin_addr), 4});
  if (storage.ss_family == AF_INET6) return IpAddress::fromBytes(Bytes{bytes + offsetof(sockaddr_in6, sin6_addr), 16});
  return std::nullopt;
}

Result<UniqueFd> openSocket(const Target& target, int type, int protocol) {
  UniqueFd fd{socket(static_cast<int>(target.address.family()), type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)};
  if (!fd) return failErrno("cannot open a socket");
  const int on = 1;
  const bool isIpv4 = target.address.isIpv4();
  // ICMP errors are queued with their sender (ip(7)).
  if (setsockopt(fd.get(), isIpv4 ? IPPROTO_IP : IPPROTO_IPV6, isIpv4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on) !=
      0) {
    return failErrno("cannot set IP_RECVERR");
  }
  if (!target.link) return fd;
  const std::string& link = target.link->toString();
  if (setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, link.c_str(), static_cast<socklen_t>(link.size())) != 0) {
    return failErrno("cannot bind a socket to " + link);
  }
  return fd;
}

bool connectTo(const UniqueFd& fd, const Target& target) {
  const SocketAddress to = socketAddressOf(target);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0;
}

/// False at the deadline. An error of the socket counts as readable.
bool awaits(const UniqueFd& fd, short event, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd wait{.fd = fd.get(), .events = event, .revents = 0};
    if (poll(&wait, 1, static_cast<int>(left.count())) > 0) return true;
  }
}

std::string reasonOf(const sock_extended_err& error) {
  const bool isIpv4 = error.ee_origin == SO_EE_ORIGIN_ICMP;
  if (!isIpv4 && error.ee_origin != SO_EE_ORIGIN_ICMP6) return std::strerror(static_cast<int>(error.ee_errno));
  if (error.ee_type != (isIpv4 ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH)) {
    return "ICMP type " + std::to_string(error.ee_type) + " code " + std::to_string(error.ee_code);
  }
  switch (error.ee_code) {
    case ICMP6_DST_UNREACH_NOROUTE:  // and ICMP_NET_UNREACH
      return isIpv4 ? "network unreachable" : "no route";
    case ICMP6_DST_UNREACH_ADMIN:  // and ICMP_HOST_UNREACH
      return isIpv4 ? "host unreachable" : "administratively prohibited";
    case ICMP_PORT_UNREACH:  // and ICMP6_DST_UNREACH_ADDR
      return isIpv4 ? "port unreachable" : "address unreachable";
    case ICMP6_DST_UNREACH_NOPORT:  // and ICMP_FRAG_NEEDED
      return isIpv4 ? "fragmentation needed" : "port unreachable";
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
      return "administratively prohibited";
    default:
      return "unreachable, code " + std::to_string(error.ee_code);
  }
}

/// What an errno of the socket says.
Outcome outcomeOf(int number, bool isSent) {
  if (number == ECONNREFUSED) return {.end = End::Refused};
  if (number == ETIMEDOUT) return {.end = End::NoAnswer};
  const bool isUnreachable = number == ENETUNREACH || number == EHOSTUNREACH;
  if (isUnreachable && !isSent) return {.end = End::NoRoute};
  return {.end = isUnreachable ? End::Unreachable : End::NotSent, .reason = std::strerror(number)};
}

/// The first error in the socket's queue; nothing if that is empty.
std::optional<Outcome> queuedError(const UniqueFd& fd, const Target& target) {
  std::array<std::uint8_t, 256> packet;
  alignas(cmsghdr) std::array<char, 512> control;
  iovec content{.iov_base = packet.data(), .iov_len = packet.size()};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(fd.get(), &message, MSG_ERRQUEUE) < 0) return std::nullopt;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool isError = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                         (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    const std::size_t size = part->cmsg_len - CMSG_LEN(0);
    sock_extended_err error{};
    if (!isError || size < sizeof error) continue;
    std::memcpy(&error, CMSG_DATA(part), sizeof error);
    sockaddr_storage sender{};  // SO_EE_OFFENDER
    std::memcpy(&sender, CMSG_DATA(part) + sizeof error, std::min(size - sizeof error, sizeof sender));
    const auto from = addressIn(sender);
    if (error.ee_errno == ECONNREFUSED && from == target.address) return Outcome{.end = End::Refused};
    return Outcome{.end = End::Unreachable, .from = from, .reason = reasonOf(error)};
  }
  return std::nullopt;
}

/// Sends one packet and waits for one that is its answer.
Result<Outcome> exchange(const UniqueFd& fd, const Target& target, Bytes request,
                         const std::function<bool(Bytes packet)>& isAnswer, std::chrono::milliseconds timeout) {
  const auto start = Clock::now();
  if (!connectTo(fd, target) || send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return outcomeOf(errno, false);
  }
  while (awaits(fd, POLLIN, start + timeout)) {
    if (const auto error = queuedError(fd, target)) return *error;
    std::array<std::uint8_t, 1500> packet;
    const ssize_t size = recv(fd.get(), packet.data(), packet.size(), 0);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return outcomeOf(errno, true);
    if (size < 0 || !isAnswer(Bytes{packet}.first(static_cast<std::size_t>(size)))) continue;
    return Outcome{.end = End::Answered,
                   .time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start)};
  }
  return Outcome{.end = End::NoAnswer};
}

/// Two random bytes, by which an answer is known.
std::array<std::uint8_t, 2> randomNumber() {
  std::array<std::uint8_t, 2> number{};
  if (getrandom(number.data(), number.size(), 0) != static_cast<ssize_t>(number.size())) number = {0x70, 0x6f};
  return number;
}

/// RFC 1071.
std::uint16_t checksumOf(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += (std::uint32_t{bytes[i]} << 8U) + bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

// A raw socket: ping sockets are refused unless net.ipv4.ping_group_range of the namespace permits them.
Result<Outcome> echo(const Target& target, std::chrono::milliseconds timeout) {
  const bool isIpv4 = target.address.isIpv4();
  const UniqueFd fd = TRY(openSocket(target, SOCK_RAW, isIpv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}));
  const std::uint8_t replyType = isIpv4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
  const auto id = randomNumber();
  // Type, code, checksum, identifier, sequence number, content.
  std::array<std::uint8_t, 16> request{isIpv4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST},
                                       0,
                                       0,
                                       0,
                                       id[0],
                                       id[1],
                                       0,
                                       1,
                                       'p',
                                       'o',
                                       'n',
                                       's'};
  if (isIpv4) {  // that of ICMPv6 is the kernel's work
    const std::uint16_t checksum = checksumOf(request);
    request[2] = static_cast<std::uint8_t>(checksum >> 8U);
    request[3] = static_cast<std::uint8_t>(checksum & 0xffU);
  }
  const auto isReply = [&](Bytes packet) {
    // Raw IPv4 sockets receive the IP header as well.
    const std::size_t header = isIpv4 && !packet.empty() ? (packet[0] & 0x0fU) * 4U : 0U;
    return packet.size() >= header + 8 && packet[header] == replyType && packet[header + 4] == id[0] &&
           packet[header + 5] == id[1];
  };
  return exchange(fd, target, request, isReply, timeout);
}

Result<Outcome> connectTcp(const Target& target, std::chrono::milliseconds timeout) {
  const UniqueFd fd = TRY(openSocket(target, SOCK_STREAM, 0));
  const auto start = Clock::now();
  int error = connectTo(fd, target) ? 0 : errno;
  if (error != 0 && error != EINPROGRESS) return outcomeOf(error, false);
  if (error == EINPROGRESS) {
    if (!awaits(fd, POLLOUT, start + timeout)) return Outcome{.end = End::NoAnswer};
    if (const auto queued = queuedError(fd, target)) return *queued;
    socklen_t size = sizeof error;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return failErrno("cannot read SO_ERROR");
  }
  if (error != 0) return outcomeOf(error, true);
  return Outcome{.end = End::Answered,
                 .time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start)};
}

Result<Outcome> queryDns(const Target& target, std::chrono::milliseconds timeout) {
  const UniqueFd fd = TRY(openSocket(target, SOCK_DGRAM, 0));
  const auto id = randomNumber();
  // RFC 1035: number, flags (recursion desired), one question: the name "." (one 0), type NS, class IN.
  const std::array<std::uint8_t, 17> request{id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};
  const auto isResponse = [&id](Bytes packet) {
    return packet.size() >= 12 && packet[0] == id[0] && packet[1] == id[1] && (packet[2] & 0x80U) != 0;
  };
  return exchange(fd, target, request, isResponse, timeout);
}

}  // namespace netlib::probe
