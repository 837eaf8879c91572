#include "netlib/netlink/message.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <libmnl/libmnl.h>

namespace netlib {

template <class Visit>
void Attributes::each(unsigned type, Visit visit) const {
  // Not mnl_attr_for_each: that macro does not compile as C++.
  std::span<const std::uint8_t> rest = bytes_;
  while (rest.size() >= sizeof(nlattr)) {
    nlattr attribute;
    std::memcpy(&attribute, rest.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > rest.size()) break;
    if ((attribute.nla_type & NLA_TYPE_MASK) == type) visit(rest.first(attribute.nla_len).subspan(sizeof attribute));
    rest = rest.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), rest.size()));
  }
}

std::optional<std::span<const std::uint8_t>> Attributes::bytes(unsigned type) const {
  std::optional<std::span<const std::uint8_t>> found;
  each(type, [&found](std::span<const std::uint8_t> payload) { found = payload; });
  return found;
}

std::vector<std::span<const std::uint8_t>> Attributes::all(unsigned type) const {
  std::vector<std::span<const std::uint8_t>> found;
  each(type, [&found](std::span<const std::uint8_t> payload) { found.push_back(payload); });
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

/// NLMSG_ALIGN and NLA_ALIGN, without their conversion to int.
constexpr std::size_t aligned(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

constexpr std::size_t kFirstCapacity = 4096;  // enough for most batches

}  // namespace

const nlmsghdr& Batch::message(std::size_t index) const {
  return *reinterpret_cast<const nlmsghdr*>(buffer_.get() + requests_.at(index).offset);
}

nlmsghdr& Batch::at(std::size_t index) { return const_cast<nlmsghdr&>(message(index)); }

nlmsghdr& Batch::current() { return at(requests_.size() - 1); }

std::size_t Batch::size() { return requests_.empty() ? 0 : requests_.back().offset + NLMSG_ALIGN(current().nlmsg_len); }

std::uint8_t* Batch::reserve(std::size_t offset, std::size_t room) {
  if (capacity_ < offset + room) {
    // Not a vector, which would zero (and so page in) all of the capacity.
    const std::size_t capacity = std::max({kFirstCapacity, 2 * capacity_, offset + room});
    std::unique_ptr<std::uint8_t[]> larger{new std::uint8_t[capacity]};
    if (buffer_) std::memcpy(larger.get(), buffer_.get(), offset);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }
  return buffer_.get() + offset;
}

bool Batch::reserveAttribute(std::size_t payload) {
  if (payload > UINT16_MAX - sizeof(nlattr)) overflowed_ = true;
  if (!overflowed_) reserve(size(), aligned(sizeof(nlattr) + payload));
  return !overflowed_;
}

bool Batch::reserveMessage(std::size_t room) {
  if (room > UINT16_MAX) overflowed_ = true;
  return !overflowed_;
}

void Batch::addMessage(std::string what, std::size_t room) {
  addRequest(std::move(what));
  if (current().nlmsg_len > room) std::abort();  // the heap is damaged
}

void Batch::addRequest(std::string what) {
  const std::size_t offset = size();
  requests_.push_back({offset, std::move(what)});
}

void Batch::begin(unsigned type, unsigned flags, std::span<const std::byte> familyHeader, std::string what) {
  const std::size_t length = sizeof(nlmsghdr) + aligned(familyHeader.size());
  nlmsghdr* header = mnl_nlmsg_put_header(reserve(size(), length));
  header->nlmsg_type = static_cast<std::uint16_t>(type);
  header->nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  std::memcpy(mnl_nlmsg_put_extra_header(header, familyHeader.size()), familyHeader.data(), familyHeader.size());
  addRequest(std::move(what));
}

void Batch::put(std::uint16_t type, std::span<const std::uint8_t> bytes) {
  if (reserveAttribute(bytes.size())) mnl_attr_put(&current(), type, bytes.size(), bytes.data());
}

void Batch::putText(std::uint16_t type, const std::string& text) {
  if (reserveAttribute(text.size() + 1)) mnl_attr_put_strz(&current(), type, text.c_str());
}

void Batch::putU8(std::uint16_t type, std::uint8_t number) {
  if (reserveAttribute(sizeof number)) mnl_attr_put_u8(&current(), type, number);
}

void Batch::putU32(std::uint16_t type, std::uint32_t number) {
  if (reserveAttribute(sizeof number)) mnl_attr_put_u32(&current(), type, number);
}

void Batch::putRaw(std::span<const std::byte> bytes) {
  if (!reserveAttribute(bytes.size())) return;
  std::memcpy(mnl_nlmsg_put_extra_header(&current(), bytes.size()), bytes.data(), bytes.size());
}

Batch::Nest::Nest(Batch& batch, std::uint16_t type) : batch_(batch), start_(batch.current().nlmsg_len) {
  if (batch.reserveAttribute(0)) mnl_attr_nest_start(&batch.current(), type);
}

Batch::Nest::~Nest() {
  nlmsghdr& message = batch_.current();
  if (message.nlmsg_len - start_ > UINT16_MAX) batch_.overflowed_ = true;
  if (batch_.overflowed_) return;
  mnl_attr_nest_end(&message, reinterpret_cast<nlattr*>(reinterpret_cast<std::uint8_t*>(&message) + start_));
}

}  // namespace netlib
