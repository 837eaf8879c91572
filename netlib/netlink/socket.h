// A netlink socket. It belongs to the network namespace in which it was opened, also after the thread enters another
// one.
#pragma once

#include "netlib/base/unique_fd.h"
#include "netlib/netlink/answers.h"
#include "netlib/netlink/message.h"

namespace netlib {

/// Not thread-safe.
class Socket {
 public:
  enum class Subsystem : int {
    Route = NETLINK_ROUTE,
    SocketDiagnosis = NETLINK_SOCK_DIAG,
    Netfilter = NETLINK_NETFILTER
  };
  static Result<Socket> open(Subsystem subsystem);

  /// Sends all requests in one datagram and reads the answers; an empty batch is not sent. The error of a request is in
  /// its Answer (those after a failed first request are not read, see Answers::complete()). The Result fails only if
  /// the exchange itself did: Invalid (batch too large), Damaged (no answer, too large a one, or a malformed one),
  /// Disturbed (a dump was interrupted ten times), the errnos of send (EMSGSIZE: larger than the send buffer, which
  /// only the initial user namespace's CAP_NET_ADMIN may enlarge beyond net.core.wmem_max) and receive (ENOBUFS: the
  /// kernel dropped answers). A dump with `keep` needs NLM_F_ACK. Sequence numbers and NLM_F_ACK of the batch are
  /// overwritten.
  Result<std::vector<Answer>> exchange(Batch& batch, const Keep& keep = {});

  /// The same if every request must succeed: the error is that of the first failed one, "what: errno text (reason)".
  Result<std::vector<Answer>> request(Batch& batch, const Keep& keep = {});

 private:
  Socket(UniqueFd fd, Subsystem subsystem) : fd_(std::move(fd)), subsystem_(subsystem) {}

  Result<std::vector<Answer>> exchangeOnce(Batch& batch, const Keep& keep);
  void prepareForDump();
  void discardUnread();
  Result<> send(Batch& batch);
  Result<> receive(Answers& answers);
  void enlargeBuffers(std::size_t bytes);

  UniqueFd fd_;
  Subsystem subsystem_;
  bool preparedForDump_ = false;
  bool unread_ = false;  ///< an exchange was aborted: answers may be queued
  std::uint32_t nextSequence_ = 1;
};

/// "what: errno text (reason)" of a failed answer.
Error errorOf(const Answer& answer, const std::string& what);

}  // namespace netlib
