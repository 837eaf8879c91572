// NFTA_SET_USERDATA as nft writes it, to list sets with their original types: nested TLVs (type and length of one byte
// each), opaque to the kernel.
#include <linux/netfilter/nf_tables.h>

#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

using Bytes = std::vector<std::uint8_t>;

void append(Bytes& to, std::uint8_t type, const Bytes& value) {
  to.push_back(type);
  to.push_back(static_cast<std::uint8_t>(value.size()));
  to.insert(to.end(), value.begin(), value.end());
}

void append(Bytes& to, std::uint8_t type, std::uint32_t value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  append(to, type, Bytes{bytes, bytes + sizeof value});
}

/// A typeof expression (NFTNL_UDATA_SET_TYPEOF_EXPR, _DATA).
Bytes expression(std::uint32_t kind, const Bytes& description) {
  Bytes bytes;
  append(bytes, 0, kind);
  append(bytes, 1, description);
  return bytes;
}

/// `typeof iifname . @<header>,<offset>,<length>`
Bytes iifnameAndField(const Field& field) {
  constexpr std::uint32_t kPayload = 7;  // EXPR_PAYLOAD, EXPR_META and EXPR_CONCAT of nft
  constexpr std::uint32_t kMeta = 9;
  constexpr std::uint32_t kConcat = 13;
  Bytes name;
  append(name, 0, NFT_META_IIFNAME);
  Bytes payload;
  append(payload, 0, 0U);  // protocol description and template: none (raw)
  append(payload, 1, 0U);
  append(payload, 2, static_cast<std::uint32_t>(field.header) + 1);
  append(payload, 3, field.offset * 8);
  append(payload, 4, field.length * 8);
  Bytes both;
  append(both, 0, expression(kMeta, name));
  append(both, 1, expression(kPayload, payload));
  return expression(kConcat, both);
}

/// Interface names and marks, also as a field of a concatenation.
bool isHostEndian(std::uint32_t type) {
  for (; type != 0; type >>= kConcatBits) {
    const std::uint32_t field = type & ((1U << kConcatBits) - 1);
    if (field == kIfname || field == kMark) return true;
  }
  return false;
}

}  // namespace

std::vector<std::uint8_t> userDataOf(const Set& described) {
  constexpr std::uint32_t kHost = 1;
  Bytes userData;
  if (isHostEndian(described.keyType)) append(userData, NFTNL_UDATA_SET_KEYBYTEORDER, kHost);
  if (isHostEndian(described.dataType)) append(userData, NFTNL_UDATA_SET_DATABYTEORDER, kHost);
  if (described.rawField) append(userData, NFTNL_UDATA_SET_KEY_TYPEOF, iifnameAndField(*described.rawField));
  return userData;
}

}  // namespace netlib::nft
