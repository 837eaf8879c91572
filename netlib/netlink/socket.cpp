#include "netlib/netlink/socket.h"

#include <algorithm>
#include <array>

#include <sys/socket.h>

namespace netlib {

namespace {

constexpr std::size_t kReceiveBuffer = 64 * 1024;  // netlink_dump() uses at most 32 KiB
constexpr std::size_t kDefaultBuffer = 212'992;    // net.core.wmem_default and rmem_default
constexpr std::size_t kManyBytes = 128 * 1024;     // above this the default buffers may not suffice
constexpr std::size_t kManyRequests = 64;          // each acknowledgement takes about 800 bytes of receive buffer
constexpr int kOn = 1;

/// False where the kernel does not know the option (ENOPROTOOPT) or a sandbox refuses it: pons works without any.
bool setOption(const UniqueFd& fd, int level, int option, int value) {
  return setsockopt(fd.get(), level, option, &value, sizeof value) == 0;
}

}  // namespace

Error errorOf(const Answer& answer, const std::string& what) {
  Error error = Error::fromErrno(what, answer.error);
  if (!answer.reason.empty()) error.message += " (" + answer.reason + ")";
  return error;
}

Result<Socket> Socket::open(Subsystem subsystem) {
  UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, static_cast<int>(subsystem))};
  if (!fd) return failErrno("open netlink socket");
  setOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, kOn);  // without it errors have no reason
  return Socket{std::move(fd), subsystem};
}

Result<std::vector<Answer>> Socket::exchange(Batch& batch, const Keep& keep) {
  if (batch.empty()) return std::vector<Answer>{};  // an empty datagram gets no answer
  constexpr int kTries = 10;
  for (int attempt = 1;; ++attempt) {
    auto answers = exchangeOnce(batch, keep);
    if (!answers.failedWith(Cause::Disturbed) || attempt == kTries) return answers;
  }
}

Result<std::vector<Answer>> Socket::exchangeOnce(Batch& batch, const Keep& keep) {
  Answers answers{nextSequence_, batch.count(), keep};
  std::optional<std::size_t> acknowledged;
  for (std::size_t i = batch.count(); i-- > 0;) {
    nlmsghdr& request = batch.at(i);
    request.nlmsg_seq = nextSequence_ + static_cast<std::uint32_t>(i);
    if ((request.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) prepareForDump();
    // Errors are reported without NLM_F_ACK too, so only the last request needs it.
    if (acknowledged) request.nlmsg_flags &= static_cast<std::uint16_t>(~NLM_F_ACK);
    if ((request.nlmsg_flags & NLM_F_ACK) != 0) acknowledged = i;
  }
  nextSequence_ += static_cast<std::uint32_t>(batch.count());

  if (unread_) discardUnread();
  TRY(send(batch));
  unread_ = true;
  while (!answers.complete(acknowledged)) TRY(receive(answers));
  unread_ = false;
  if (answers.interrupted()) return fail(Cause::Disturbed, "netlink dump interrupted by a change");
  return answers.all();
}

Result<std::vector<Answer>> Socket::request(Batch& batch, const Keep& keep) {
  auto answers = TRY(exchange(batch, keep));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].error != 0) return fail(errorOf(answers[i], batch.what(i)));
  }
  return answers;
}

/// NETLINK_GET_STRICT_CHK (Linux 4.20): the kernel applies the filters of a dump. Older kernels return all; readers
/// filter again.
void Socket::prepareForDump() {
  if (subsystem_ != Subsystem::Route || preparedForDump_) return;
  setOption(fd_, SOL_NETLINK, NETLINK_GET_STRICT_CHK, kOn);
  preparedForDump_ = true;
}

/// Until a dump has been read to its end the kernel refuses another one on the same socket (EBUSY).
void Socket::discardUnread() {
  std::array<std::uint8_t, 1> part{};
  while (recv(fd_.get(), part.data(), part.size(), MSG_DONTWAIT) >= 0) {}
}

Result<> Socket::send(Batch& batch) {
  if (batch.overflowed_) return fail(Cause::Invalid, "netlink request too large");
  if (batch.size() > kManyBytes || batch.count() > kManyRequests) {
    enlargeBuffers(2 * batch.size() + batch.count() * 1024);
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = sendto(fd_.get(), batch.buffer_.get(), batch.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? Result<>{failErrno("send netlink request")} : Result<>{};
}

Result<> Socket::receive(Answers& answers) {
  // Not initialised: zeroing it would touch all 16 pages.
  std::array<std::uint8_t, kReceiveBuffer> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  sockaddr_nl sender{};
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;

  // The kernel processes requests within sendto(2), and continues a dump within recvmsg(2): no need to block.
  const ssize_t length = recvmsg(fd_.get(), &message, MSG_DONTWAIT);
  if (length < 0 && errno == EINTR) return {};
  if (length < 0 && errno == EAGAIN) return fail(Cause::Damaged, "no answer from the kernel over netlink");
  if (length < 0) return failErrno("receive netlink answer");
  if (sender.nl_pid != 0) return {};  // another process; the kernel has port 0
  if ((message.msg_flags & MSG_TRUNC) != 0)
    return fail(Cause::Damaged, "netlink answer larger than the receive buffer");
  return answers.parse(std::span(buffer).first(static_cast<std::size_t>(length)));
}

/// In a user namespace SO_*BUFFORCE is EPERM; SO_*BUF takes at most net.core.wmem_max and rmem_max, and the kernel
/// doubles what it takes (socket(7)). What still does not fit is the error of send or receive.
void Socket::enlargeBuffers(std::size_t bytes) {
  const int wanted = static_cast<int>(std::max(bytes, kDefaultBuffer));
  for (const auto& [force, limited] : {std::pair{SO_SNDBUFFORCE, SO_SNDBUF}, {SO_RCVBUFFORCE, SO_RCVBUF}}) {
    if (!setOption(fd_, SOL_SOCKET, force, wanted)) setOption(fd_, SOL_SOCKET, limited, wanted);
  }
}

}  // namespace netlib
