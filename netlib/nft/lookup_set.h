// A set or map with its elements, and the lookup of a key of which not all is known. Only for netlib/nft/*.cpp.
#pragma once

#include "netlib/nft/registers.h"
#include "netlib/nft/transaction.h"

namespace netlib::nft {

class LookupSet {
 public:
  struct Element {
    std::vector<std::uint8_t> key;
    std::vector<std::uint8_t> keyEnd;  ///< of a range in a concatenation; else empty
    std::vector<std::uint8_t> data;    ///< of a map
    bool isEnd = false;                ///< NFT_SET_ELEM_INTERVAL_END: the first key after an interval
    bool isCatchAll = false;           ///< the one for all other keys
    std::optional<std::uint32_t> verdict = std::nullopt;
    std::string chain = {};
  };
  struct Found {
    filter::Match match = filter::Match::No;
    const Element* element = nullptr;  ///< where the match is Yes; of this set
  };

  /// Two exchanges; the second one is a dump. ENOENT: no such set.
  static Result<LookupSet> read(Socket& netfilter, const Table& table, const std::string& name);

  std::size_t keyLength() const { return keyLength_; }
  Found find(Bytes key) const;

 private:
  Found findInterval(Bytes key) const;
  filter::Match matchOf(const Element& element, Bytes key) const;

  std::size_t keyLength_ = 0;
  bool hasIntervals_ = false;           ///< as pairs of elements
  std::vector<std::uint8_t> fields_{};  ///< lengths of a concatenation's fields, without padding; empty without one
  std::vector<Element> elements_{};     ///< of intervals: in their order
};

}  // namespace netlib::nft
