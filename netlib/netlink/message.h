// Netlink messages: requests being written, answers being read. Framing is libmnl's; nothing here trusts a length.
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

/// The payload of an attribute as a number or text; nothing where it has another size.
class Attributes {
 public:
  Attributes() = default;
  explicit Attributes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// The payload of the last attribute of that type; nothing where there is none. Stops at the first malformed one.
  std::optional<std::span<const std::uint8_t>> bytes(unsigned type) const;
  std::optional<std::uint8_t> u8(unsigned type) const;
  std::optional<std::uint32_t> u32(unsigned type) const;
  /// Up to the first NUL.
  std::optional<std::string_view> text(unsigned type) const;
  /// One of the kernel's structures, or the beginning of a longer one that a newer kernel sends.
  template <class T>
  std::optional<T> structure(unsigned type) const {
    const auto payload = bytes(type);
    if (!payload || payload->size() < sizeof(T)) return std::nullopt;
    T content;
    std::memcpy(&content, payload->data(), sizeof content);
    return content;
  }
  /// Empty where there is none.
  Attributes nested(unsigned type) const;

 private:
  std::span<const std::uint8_t> bytes_;
};

/// One message of an answer, with its own copy of the bytes.
class Message {
 public:
  explicit Message(std::span<const std::uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}

  std::uint16_t type() const { return header().nlmsg_type; }
  /// For libnftnl's parsers.
  const nlmsghdr& header() const { return *reinterpret_cast<const nlmsghdr*>(bytes_.data()); }

  /// The family header behind the netlink header; nothing where the message is too short for it.
  template <class Header>
  std::optional<Header> family() const {
    if (bytes_.size() < NLMSG_HDRLEN + sizeof(Header)) return std::nullopt;
    Header header;
    std::memcpy(&header, bytes_.data() + NLMSG_HDRLEN, sizeof header);
    return header;
  }
  /// The attributes behind such a family header.
  template <class Header>
  Attributes attributes() const {
    constexpr std::size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(Header));
    return bytes_.size() < offset ? Attributes{} : Attributes{std::span(bytes_).subspan(offset)};
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Requests that travel to the kernel in one datagram and are handled in their order. Numbers and addresses are written
/// as they are: byte order is the caller's business, as it differs by attribute.
class Batch {
 public:
  /// Starts the next request; attributes follow until the next begin(). `what` names it in error messages.
  /// NLM_F_REQUEST is always added. A request that changes something has NLM_F_ACK; a question needs none, as its
  /// answer or an error comes anyway, but has to be alone in its batch.
  template <class Header>
  void begin(unsigned type, unsigned flags, const Header& familyHeader, std::string what) {
    begin(type, flags, std::as_bytes(std::span(&familyHeader, 1)), std::move(what));
  }

  void put(unsigned type, std::span<const std::uint8_t> bytes);
  void putText(unsigned type, const std::string& text);
  void putFlag(unsigned type) { put(type, {}); }
  void putU8(unsigned type, std::uint8_t number) { put(type, {&number, 1}); }
  void putU32(unsigned type, std::uint32_t number);
  /// One of the kernel's structures.
  template <class T>
  void putStruct(unsigned type, const T& content) {
    put(type, {reinterpret_cast<const std::uint8_t*>(&content), sizeof content});
  }
  /// Bytes without an attribute header: what VETH_INFO_PEER begins with.
  template <class Header>
  void putHeader(const Header& header) {
    putRaw(std::as_bytes(std::span(&header, 1)));
  }

  /// Everything that is put while it lives is nested in one attribute.
  class Nest {
   public:
    Nest(Batch& batch, unsigned type);
    ~Nest();
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

   private:
    Batch& batch_;
    std::size_t start_;
  };
  [[nodiscard]] Nest nest(unsigned type) { return {*this, type}; }

  /// A message that somebody else writes (libnftnl, which checks no bounds): into `room` bytes, of which he fills the
  /// front.
  template <class Write>
    requires std::invocable<Write, char*>
  void append(std::string what, std::size_t room, Write write) {
    write(reinterpret_cast<char*>(reserve(size(), room)));
    taken(std::move(what));
  }

  std::size_t count() const { return requests_.size(); }
  bool empty() const { return requests_.empty(); }
  /// How messages name the request with that index.
  const std::string& what(std::size_t index) const { return requests_.at(index).what; }

 private:
  friend class Socket;

  struct Request {
    std::size_t offset;
    std::string what;
  };

  void begin(unsigned type, unsigned flags, std::span<const std::byte> familyHeader, std::string what);
  void putRaw(std::span<const std::byte> bytes);
  /// Makes sure of `room` bytes from that offset on; they may lie elsewhere afterwards.
  std::uint8_t* reserve(std::size_t offset, std::size_t room);
  /// The same behind the current message.
  void reserveAttribute(std::size_t payload);
  void taken(std::string what);
  nlmsghdr& current();
  nlmsghdr& at(std::size_t index);
  std::size_t size();

  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t capacity_ = 0;
  std::vector<Request> requests_;
  bool overflowed_ = false;  // latched; Socket refuses to send such a batch
};

}  // namespace netlib
