// The kernel's answers to a batch of requests, collected from datagrams. Independent of the socket, so that tests and
// fuzzers can pass any bytes.
#pragma once

#include <functional>

#include "netlib/netlink/message.h"

namespace netlib {

/// The answer to one request. Not `complete` and without error: no answer was read, see Answers::complete().
struct Answer {
  bool complete = false;
  int error = 0;       ///< an errno, 0 for success
  std::string reason;  ///< message of the extended ack; often empty
  std::vector<Message> messages;
};

/// Whether to keep a message of an answer, given with its header. For a dump of which few entries are wanted: the
/// others are not copied.
using Keep = std::function<bool(std::span<const std::uint8_t>)>;

/// Collects the answers to `count` requests with consecutive sequence numbers from `firstSequence` on.
class Answers {
 public:
  /// Without `keep` all messages are kept.
  Answers(std::uint32_t firstSequence, std::size_t count, Keep keep = {})
      : firstSequence_(firstSequence), answers_(count), keep_(std::move(keep)) {}

  /// Parses one datagram. Messages with other sequence numbers (a late answer to an earlier batch) are ignored.
  /// Damaged: malformed.
  Result<> parse(std::span<const std::uint8_t> datagram);

  /// True once the request with index `acknowledged` (the last one with NLM_F_ACK) is acknowledged: the kernel
  /// processes and answers a datagram in order. Without it: once the last request, a get without NLM_F_ACK, has its
  /// first message. Also true once the first request has failed: NFNL_MSG_BATCH_BEGIN is answered only if the nf_tables
  /// transaction failed. Then the answers to later requests are NOT read and look like success: in a batch that is no
  /// transaction, use the other answers only if the first one has no error.
  bool complete(std::optional<std::size_t> acknowledged) const;

  /// NLM_F_DUMP_INTR: the dump is inconsistent and has to be repeated, after its remainder was read.
  bool interrupted() const { return interrupted_; }

  const std::vector<Answer>& all() const { return answers_; }

 private:
  Result<> parseMessage(const nlmsghdr& header, std::span<const std::uint8_t> bytes);

  std::uint32_t firstSequence_;
  std::vector<Answer> answers_;
  Keep keep_;
  bool interrupted_ = false;
};

}  // namespace netlib
