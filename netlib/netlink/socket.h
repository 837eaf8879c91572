// A conversation with the kernel over netlink. The socket belongs to the network namespace in which it was opened, and
// keeps speaking to that one wherever the process goes.
#pragma once

#include "netlib/base/unique_fd.h"
#include "netlib/netlink/answers.h"
#include "netlib/netlink/message.h"

namespace netlib {

/// One conversation at a time; not for use by several threads.
class Socket {
 public:
  enum class Subsystem : int { Route = NETLINK_ROUTE, Netfilter = NETLINK_NETFILTER };
  static Result<Socket> open(Subsystem subsystem);

  /// Sends all requests in one datagram and collects every answer; an empty batch is not sent. An error of a single
  /// request is in its Answer; the Result fails only where the conversation itself broke: EMSGSIZE (batch too large),
  /// ENODATA (no answer), ENOBUFS (the kernel dropped answers), EINTR (a dump was interrupted ten times), EBADMSG.
  Result<std::vector<Answer>> exchange(Batch& batch);

  /// The same where every request must succeed: the first that failed becomes the error, "what: errno text (reason)".
  Result<std::vector<Answer>> request(Batch& batch);

 private:
  Socket(UniqueFd fd, Subsystem subsystem) : fd_(std::move(fd)), subsystem_(subsystem) {}

  Result<std::vector<Answer>> exchangeOnce(Batch& batch);
  void prepareForDump();
  void discardUnread();
  Result<> send(Batch& batch);
  Result<> receive(Answers& answers);
  Result<> enlargeBuffers(std::size_t bytes);

  UniqueFd fd_;
  Subsystem subsystem_;
  bool preparedForDump_ = false;
  bool unread_ = false;  ///< an exchange broke off: the kernel may have more to say
  std::uint32_t nextSequence_ = 1;
};

/// The error of a failed answer, in the words of its request.
Error errorOf(const Answer& answer, const std::string& what);

}  // namespace netlib
