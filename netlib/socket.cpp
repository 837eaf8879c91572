#include "netlib/socket.h"

#include <array>

#include <sys/socket.h>
#include <sys/time.h>

namespace netlib {

namespace {

constexpr std::size_t kReceiveBuffer = 64 * 1024;  // the kernel's dumps fill at most 32 KiB
constexpr std::size_t kManyBytes = 128 * 1024;     // above it the default socket buffers (208 KiB) may not do
constexpr std::size_t kManyRequests = 64;          // each acknowledgement takes about 800 bytes of receive buffer
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};

Result<> setOption(const UniqueFd& fd, int level, int option, const auto& value) {
  if (setsockopt(fd.get(), level, option, &value, sizeof value) != 0) return failErrno("set netlink socket option");
  return {};
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
  constexpr int kOn = 1;
  TRY(setOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, kOn));
  TRY(setOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, kOn));
  if (subsystem == Subsystem::Route) {
    // Linux 4.20; without it the kernel ignores the filters of a dump. Readers filter again, so an old kernel is only
    // slower, and its refusal is ignored.
    static_cast<void>(setOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, kOn));
  }
  TRY(setOption(fd, SOL_SOCKET, SO_RCVTIMEO, kPatience));
  return Socket{std::move(fd)};
}

Result<std::vector<Answer>> Socket::exchange(Batch& batch) {
  constexpr int kTries = 10;
  for (int attempt = 1;; ++attempt) {
    auto answers = exchangeOnce(batch);
    if (!answers.failedWith(EINTR) || attempt == kTries) return answers;
  }
}

Result<std::vector<Answer>> Socket::exchangeOnce(Batch& batch) {
  const std::size_t count = batch.count();
  const std::uint32_t first = nextSequence_;
  const std::unique_ptr<bool[]> acknowledged{new bool[count]};
  for (std::size_t i = 0; i < count; ++i) {
    nlmsghdr& request = batch.at(i);
    request.nlmsg_seq = nextSequence_++;
    acknowledged[i] = (request.nlmsg_flags & NLM_F_ACK) != 0;
  }

  TRY(send(batch));
  Answers answers{first, count};
  while (!answers.complete({acknowledged.get(), count})) { TRY(receive(answers)); }
  if (answers.interrupted()) return fail(EINTR, "netlink dump interrupted by a change");
  return answers.all();
}

Result<std::vector<Answer>> Socket::request(Batch& batch) {
  auto answers = TRY(exchange(batch));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].error != 0) return fail(errorOf(answers[i], batch.what(i)));
  }
  return answers;
}

Result<> Socket::send(Batch& batch) {
  if (batch.overflowed_) return fail(EMSGSIZE, "netlink request too long");
  if (batch.size() > kManyBytes || batch.count() > kManyRequests) {
    TRY(enlargeBuffers(2 * batch.size() + batch.count() * 1024));
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
  // Not initialised on purpose: only the pages that an answer fills are ever touched.
  std::array<std::uint8_t, kReceiveBuffer> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  sockaddr_nl sender{};
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;

  const ssize_t length = recvmsg(fd_.get(), &message, 0);
  if (length < 0 && errno == EINTR) return {};
  if (length < 0 && errno == EAGAIN) return fail(ETIMEDOUT, "no answer from the kernel over netlink");
  if (length < 0) return failErrno("receive netlink answer");
  if (sender.nl_pid != 0) return {};  // any process may send to us; only the kernel is port 0
  if ((message.msg_flags & MSG_TRUNC) != 0) return fail(EMSGSIZE, "netlink answer longer than its buffer");
  return answers.take(std::span(buffer).first(static_cast<std::size_t>(length)));
}

Result<> Socket::enlargeBuffers(std::size_t bytes) {
  TRY(setOption(fd_, SOL_SOCKET, SO_SNDBUFFORCE, static_cast<int>(bytes)));
  return setOption(fd_, SOL_SOCKET, SO_RCVBUFFORCE, static_cast<int>(bytes));
}

}  // namespace netlib
