#include "netlib/netlink/answers.h"

#include <algorithm>

namespace netlib {

namespace {

/// NLMSGERR_ATTR_MSG of an error message. Its attributes follow the echoed request, which NETLINK_CAP_ACK cuts down to
/// its header; `NLM_F_CAPPED` says whether the kernel did so.
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

constexpr int kMaxErrno = 4095;  // of the kernel

/// The code of NLMSG_ERROR and NLMSG_DONE alike: a negative errno, 0 for success.
std::optional<int> codeOf(std::span<const std::uint8_t> bytes) {
  std::int32_t code = 0;
  if (bytes.size() < NLMSG_HDRLEN + sizeof code) return std::nullopt;
  std::memcpy(&code, bytes.data() + NLMSG_HDRLEN, sizeof code);
  return code <= 0 && code >= -kMaxErrno ? std::optional{-code} : std::nullopt;
}

}  // namespace

Result<> Answers::take(std::span<const std::uint8_t> datagram) {
  while (!datagram.empty()) {
    nlmsghdr header;
    if (datagram.size() < sizeof header) return fail(EBADMSG, "netlink datagram cut short");
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) {
      return fail(EBADMSG, "netlink message with impossible length " + std::to_string(header.nlmsg_len));
    }
    TRY(takeMessage(header, datagram.first(header.nlmsg_len)));
    datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return {};
}

Result<> Answers::takeMessage(const nlmsghdr& header, std::span<const std::uint8_t> bytes) {
  const std::size_t index = header.nlmsg_seq - firstSequence_;
  if (header.nlmsg_seq < firstSequence_ || index >= answers_.size()) return {};
  Answer& answer = answers_.at(index);

  // An error message has flags of its own (NLM_F_CAPPED), one of them on the same bit.
  const bool isError = header.nlmsg_type == NLMSG_ERROR;
  if (!isError && (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
    const auto code = codeOf(bytes);
    if (!code || (header.nlmsg_type == NLMSG_ERROR && bytes.size() < NLMSG_HDRLEN + sizeof(nlmsgerr))) {
      return fail(EBADMSG, "netlink error message without an error");
    }
    answer.complete = true;
    answer.error = *code;
    if (header.nlmsg_type == NLMSG_ERROR) answer.reason = reasonOf(header, bytes);
  } else if (header.nlmsg_type >= NLMSG_MIN_TYPE) {
    answer.messages.emplace_back(bytes);
  }
  return {};
}

bool Answers::complete(std::optional<std::size_t> acknowledged) const {
  if (answers_.empty() || answers_.front().error != 0) return true;
  if (acknowledged) return answers_.at(*acknowledged).complete;
  return answers_.back().complete || !answers_.back().messages.empty();
}

}  // namespace netlib
