// Netlink messages: requests are written with libmnl, answers are parsed with every length checked.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <linux/netlink.h>

#include "netlib/base/result.h"

namespace netlib {

/// Attributes of a message or of a nested attribute; refers to bytes owned by the Message. The getters return nothing
/// if the attribute is missing or has another size.
class Attributes {
 public:
  Attributes() = default;
  explicit Attributes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// The payload of the last attribute of that type (without NLA_F_*). Stops at the first malformed attribute.
  std::optional<std::span<const std::uint8_t>> bytes(unsigned type) const;
  std::optional<std::uint8_t> u8(unsigned type) const;
  std::optional<std::uint32_t> u32(unsigned type) const;
  /// Up to the first NUL.
  std::optional<std::string_view> text(unsigned type) const;
  /// A structure of the kernel's API; a newer kernel may append members.
  template <class T>
  std::optional<T> structure(unsigned type) const {
    const auto payload = bytes(type);
    if (!payload || payload->size() < sizeof(T)) return std::nullopt;
    T content;
    std::memcpy(&content, payload->data(), sizeof content);
    return content;
  }
  /// Empty if missing.
  Attributes nested(unsigned type) const;
  /// The payloads of all attributes of that type, which some lists repeat, in their order.
  std::vector<std::span<const std::uint8_t>> all(unsigned type) const;

 private:
  /// Calls `visit` with the payload of each attribute of that type, up to the first malformed attribute.
  template <class Visit>
  void each(unsigned type, Visit visit) const;

  std::span<const std::uint8_t> bytes_;
};

/// One message of an answer; owns a copy of the bytes, which are at least a complete nlmsghdr.
class Message {
 public:
  explicit Message(std::span<const std::uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}

  std::uint16_t type() const { return header().nlmsg_type; }
  /// For libnftnl's parsers.
  const nlmsghdr& header() const { return *reinterpret_cast<const nlmsghdr*>(bytes_.data()); }

  /// The family header (ifinfomsg, nfgenmsg, …); nothing if the message is too short.
  template <class Header>
  std::optional<Header> family() const {
    if (bytes_.size() < NLMSG_HDRLEN + sizeof(Header)) return std::nullopt;
    Header header;
    std::memcpy(&header, bytes_.data() + NLMSG_HDRLEN, sizeof header);
    return header;
  }
  /// The attributes after a family header of that type.
  template <class Header>
  Attributes attributes() const {
    return attributesIn<Header>(bytes_);
  }
  /// The same of a message that is not copied; refers to its bytes.
  template <class Header>
  static Attributes attributesIn(std::span<const std::uint8_t> message) {
    constexpr std::size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(Header));
    return message.size() < offset ? Attributes{} : Attributes{message.subspan(offset)};
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// An upper bound of what an attribute with that payload takes in a message, in bytes; of a text, with its NUL.
constexpr std::size_t roomOfAttribute(std::size_t payload) { return sizeof(nlattr) + (payload + 1 + 3) / 4 * 4; }

/// Requests that are sent in one datagram and processed in order. Integers are written in host byte order; the caller
/// converts those that the kernel reads in network byte order (most of nfnetlink).
///
/// An attribute or nest longer than 65535 bytes (nla_len has 16 bits) is not written, and Socket then refuses to send
/// the batch (Invalid).
class Batch {
 public:
  /// Begins the next request; the following put…() and nest() calls add to it. `what` names it in error messages.
  /// NLM_F_REQUEST is added. Requests that change something need NLM_F_ACK. A get of one object may omit it, as it is
  /// answered anyway, in a batch of nothing but such gets.
  template <class Header>
  void begin(unsigned type, unsigned flags, const Header& familyHeader, std::string what) {
    begin(type, flags, std::as_bytes(std::span(&familyHeader, 1)), std::move(what));
  }

  void put(std::uint16_t type, std::span<const std::uint8_t> bytes);
  /// With the terminating NUL.
  void putText(std::uint16_t type, const std::string& text);
  void putU8(std::uint16_t type, std::uint8_t number);
  void putU32(std::uint16_t type, std::uint32_t number);
  template <class T>
  void putStruct(std::uint16_t type, const T& content) {
    put(type, {reinterpret_cast<const std::uint8_t*>(&content), sizeof content});
  }
  /// Bytes without an attribute header: the ifinfomsg in VETH_INFO_PEER.
  template <class Header>
  void putHeader(const Header& header) {
    putRaw(std::as_bytes(std::span(&header, 1)));
  }

  /// An attribute with NLA_F_NESTED that contains what is put during its lifetime. Must be destroyed, in reverse order
  /// of nest(), before the next begin() or append(): the destructor sets the length in the last message of the batch.
  class Nest {
   public:
    Nest(Batch& batch, std::uint16_t type);
    ~Nest();
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

   private:
    Batch& batch_;
    std::size_t start_;
  };
  [[nodiscard]] Nest nest(std::uint16_t type) { return {*this, type}; }

  /// Appends one complete message that `write` (libnftnl, which checks no bounds) writes to the buffer that it gets;
  /// `write` must not add to this batch. `room` is an upper bound of the message's length in bytes, computed from what
  /// is written: a longer message would have overwritten the heap, and ends the process. Where `room` exceeds 65535
  /// nothing is written, as an attribute of the message might be too long.
  template <class Write>
    requires std::invocable<Write, char*>
  void append(std::string what, std::size_t room, Write write) {
    if (!reserveMessage(room)) return;
    write(reinterpret_cast<char*>(reserve(size(), room)));
    addMessage(std::move(what), room);
  }

  std::size_t count() const { return requests_.size(); }
  bool empty() const { return requests_.empty() && !overflowed_; }
  /// True once something was too long to be written.
  bool overflowed() const { return overflowed_; }
  /// `what` of the request with that index.
  const std::string& what(std::size_t index) const { return requests_.at(index).what; }
  /// Its message; the next call that adds to the batch invalidates the reference.
  const nlmsghdr& message(std::size_t index) const;

 private:
  friend class Socket;

  struct Request {
    std::size_t offset;
    std::string what;
  };

  void begin(unsigned type, unsigned flags, std::span<const std::byte> familyHeader, std::string what);
  void putRaw(std::span<const std::byte> bytes);
  /// Ensures `room` bytes from that offset on; invalidates pointers into the buffer.
  std::uint8_t* reserve(std::size_t offset, std::size_t room);
  /// The same for an attribute of the current message. False, and overflowed_, if nla_len cannot hold its length.
  bool reserveAttribute(std::size_t payload);
  /// False, and overflowed_, where a message of that length may have attributes that nla_len cannot hold.
  bool reserveMessage(std::size_t room);
  void addMessage(std::string what, std::size_t room);
  void addRequest(std::string what);
  nlmsghdr& current();
  nlmsghdr& at(std::size_t index);
  std::size_t size();

  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t capacity_ = 0;
  std::vector<Request> requests_;
  bool overflowed_ = false;  ///< never reset
};

}  // namespace netlib
