#include "netlib/netlink/message.h"

#include <algorithm>
#include <cstring>

#include <libmnl/libmnl.h>

namespace netlib {

std::optional<std::span<const std::uint8_t>> Attributes::bytes(unsigned type) const {
  // Not mnl_attr_for_each: that macro does not compile as C++.
  std::optional<std::span<const std::uint8_t>> found;
  std::span<const std::uint8_t> rest = bytes_;
  while (rest.size() >= sizeof(nlattr)) {
    nlattr attribute;
    std::memcpy(&attribute, rest.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > rest.size()) break;
    if ((attribute.nla_type & NLA_TYPE_MASK) == type) found = rest.first(attribute.nla_len).subspan(sizeof attribute);
    rest = rest.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), rest.size()));
  }
  return found;
}

std::optional<std::uint8_t> Attributes::u8(unsigned type) const {
  const auto payload = bytes(type);
  return payload && payload->size() == 1 ? std::optional{payload->front()} : std::nullopt;
}

std::optional<std::uint32_t> Attributes::u32(unsigned type) const {
  const auto payload = bytes(type);
  std::uint32_t number = 0;
  if (!payload || payload->size() != sizeof number) return std::nullopt;
  std::memcpy(&number, payload->data(), sizeof number);
  return number;
}

std::optional<std::string_view> Attributes::text(unsigned type) const {
  const auto payload = bytes(type);
  if (!payload) return std::nullopt;
  const std::string_view whole{reinterpret_cast<const char*>(payload->data()), payload->size()};
  return whole.substr(0, whole.find('\0'));
}

Attributes Attributes::nested(unsigned type) const {
  return Attributes{bytes(type).value_or(std::span<const std::uint8_t>{})};
}

namespace {

/// NLMSG_ALIGN and NLA_ALIGN are the same, but not for sizes.
constexpr std::size_t aligned(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

constexpr std::size_t kFirstRoom = 4096;  // most batches fit; larger ones cost page faults that they need

}  // namespace

nlmsghdr& Batch::at(std::size_t index) {
  return *reinterpret_cast<nlmsghdr*>(buffer_.get() + requests_.at(index).offset);
}

nlmsghdr& Batch::current() { return at(requests_.size() - 1); }

std::size_t Batch::size() { return requests_.empty() ? 0 : requests_.back().offset + NLMSG_ALIGN(current().nlmsg_len); }

std::uint8_t* Batch::reserve(std::size_t offset, std::size_t room) {
  if (capacity_ < offset + room) {
    // Not a vector: growing one would write zeros over pages that nobody may ever touch.
    const std::size_t capacity = std::max({kFirstRoom, 2 * capacity_, offset + room});
    std::unique_ptr<std::uint8_t[]> larger{new std::uint8_t[capacity]};
    if (buffer_) std::memcpy(larger.get(), buffer_.get(), offset);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }
  return buffer_.get() + offset;
}

void Batch::reserveAttribute(std::size_t payload) { reserve(size(), aligned(sizeof(nlattr) + payload)); }

void Batch::taken(std::string what) {
  const std::size_t offset = size();
  requests_.push_back({offset, std::move(what)});
}

void Batch::begin(unsigned type, unsigned flags, std::span<const std::byte> familyHeader, std::string what) {
  const std::size_t length = sizeof(nlmsghdr) + aligned(familyHeader.size());
  nlmsghdr* header = mnl_nlmsg_put_header(reserve(size(), length));
  header->nlmsg_type = static_cast<std::uint16_t>(type);
  header->nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  std::memcpy(mnl_nlmsg_put_extra_header(header, familyHeader.size()), familyHeader.data(), familyHeader.size());
  taken(std::move(what));
}

void Batch::put(unsigned type, std::span<const std::uint8_t> bytes) {
  if (bytes.size() > UINT16_MAX - sizeof(nlattr)) {
    overflowed_ = true;
    return;
  }
  reserveAttribute(bytes.size());
  mnl_attr_put(&current(), static_cast<std::uint16_t>(type), bytes.size(), bytes.data());
}

void Batch::putText(unsigned type, const std::string& text) {
  put(type, {reinterpret_cast<const std::uint8_t*>(text.c_str()), text.size() + 1});
}

void Batch::putU32(unsigned type, std::uint32_t number) {
  put(type, {reinterpret_cast<const std::uint8_t*>(&number), sizeof number});
}

void Batch::putRaw(std::span<const std::byte> bytes) {
  reserveAttribute(bytes.size());
  std::memcpy(mnl_nlmsg_put_extra_header(&current(), bytes.size()), bytes.data(), bytes.size());
}

Batch::Nest::Nest(Batch& batch, unsigned type) : batch_(batch), start_(batch.current().nlmsg_len) {
  batch.put(type | NLA_F_NESTED, {});
}

Batch::Nest::~Nest() {
  nlmsghdr& message = batch_.current();
  const std::size_t length = message.nlmsg_len - start_;
  if (batch_.overflowed_ || length > UINT16_MAX) {
    batch_.overflowed_ = true;
    return;
  }
  auto* attribute = reinterpret_cast<nlattr*>(reinterpret_cast<std::uint8_t*>(&message) + start_);
  attribute->nla_len = static_cast<std::uint16_t>(length);
}

}  // namespace netlib
