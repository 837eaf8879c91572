#include "netlib/netlink/answers.h"

#include <algorithm>

namespace netlib {

namespace {

/// NLMSGERR_ATTR_MSG (extended ack). The attributes follow the echoed request, or only its header with NLM_F_CAPPED.
std::string reasonOf(const nlmsghdr& header, std::span<const std::uint8_t> bytes) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  nlmsgerr error;
  std::memcpy(&error, bytes.data() + NLMSG_HDRLEN, sizeof error);
  std::size_t offset = NLMSG_HDRLEN + sizeof error;
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0 && error.msg.nlmsg_len > NLMSG_HDRLEN) {
    offset += NLMSG_ALIGN(error.msg.nlmsg_len - NLMSG_HDRLEN);
  }
  if (offset > bytes.size()) return {};
  return std::string{Attributes{bytes.subspan(offset)}.text(NLMSGERR_ATTR_MSG).value_or("")};
}

constexpr int kMaxErrno = 4095;  // MAX_ERRNO

/// Of NLMSG_ERROR and NLMSG_DONE: the kernel sends -errno, or 0 for success.
std::optional<int> codeOf(std::span<const std::uint8_t> bytes) {
  std::int32_t code = 0;
  if (bytes.size() < NLMSG_HDRLEN + sizeof code) return std::nullopt;
  std::memcpy(&code, bytes.data() + NLMSG_HDRLEN, sizeof code);
  return code <= 0 && code >= -kMaxErrno ? std::optional{-code} : std::nullopt;
}

}  // namespace

Result<> Answers::parse(std::span<const std::uint8_t> datagram) {
  while (!datagram.empty()) {
    nlmsghdr header;
    if (datagram.size() < sizeof header) return fail(Cause::Damaged, "truncated netlink datagram");
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) {
      return fail(Cause::Damaged, "netlink message with invalid length " + std::to_string(header.nlmsg_len));
    }
    TRY(parseMessage(header, datagram.first(header.nlmsg_len)));
    datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return {};
}

Result<> Answers::parseMessage(const nlmsghdr& header, std::span<const std::uint8_t> bytes) {
  const std::size_t index = header.nlmsg_seq - firstSequence_;
  if (header.nlmsg_seq < firstSequence_ || index >= answers_.size()) return {};
  Answer& answer = answers_.at(index);

  // In an error message the bits of NLM_F_DUMP_INTR and others have another meaning (NLM_F_CAPPED, NLM_F_ACK_TLVS).
  const bool isError = header.nlmsg_type == NLMSG_ERROR;
  if (!isError && (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (isError || header.nlmsg_type == NLMSG_DONE) {
    const auto code = codeOf(bytes);
    if (!code || (isError && bytes.size() < NLMSG_HDRLEN + sizeof(nlmsgerr))) {
      return fail(Cause::Damaged, "netlink error message without error code");
    }
    answer.complete = true;
    answer.error = *code;
    if (isError) answer.reason = reasonOf(header, bytes);
  } else if (header.nlmsg_type >= NLMSG_MIN_TYPE) {
    if (!keep_ || keep_(bytes)) answer.messages.emplace_back(bytes);
  }
  return {};
}

bool Answers::complete(std::optional<std::size_t> acknowledged) const {
  if (answers_.empty() || answers_.front().error != 0) return true;
  if (acknowledged) return answers_.at(*acknowledged).complete;
  return answers_.back().complete || !answers_.back().messages.empty();
}

}  // namespace netlib
