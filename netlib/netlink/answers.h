// What the kernel says to a batch of requests, put together from datagrams. Knows no socket, so that tests can feed it
// any bytes.
#pragma once

#include "netlib/netlink/message.h"

namespace netlib {

/// The answer to one request.
struct Answer {
  bool complete = false;
  int error = 0;       ///< an errno, 0 for success
  std::string reason;  ///< the kernel's own words (extended ack); often empty
  std::vector<Message> messages;
};

/// Collects the answers to `count` requests with consecutive sequence numbers from `firstSequence` on.
class Answers {
 public:
  Answers(std::uint32_t firstSequence, std::size_t count) : firstSequence_(firstSequence), answers_(count) {}

  /// Takes the messages of one datagram. Those of other conversations (an answer that came late) are passed over.
  /// EBADMSG: no valid netlink.
  Result<> take(std::span<const std::uint8_t> datagram);

  /// True when that request is acknowledged: the kernel answers in order, so that all before it are done with. Without
  /// one the last request is a question, which its first message answers. True as well when the first request failed:
  /// that is the bracket of an nf_tables transaction, and its error is the error of the whole.
  bool complete(std::optional<std::size_t> acknowledged) const;

  /// A dump was disturbed by a change and must be asked for again, after its remainder was taken.
  bool interrupted() const { return interrupted_; }

  const std::vector<Answer>& all() const { return answers_; }

 private:
  Result<> takeMessage(const nlmsghdr& header, std::span<const std::uint8_t> bytes);

  std::uint32_t firstSequence_;
  std::vector<Answer> answers_;
  bool interrupted_ = false;
};

}  // namespace netlib
