// An nf_tables transaction on a table of the test's own.
#pragma once

#include <doctest/doctest.h>

#include "netlib/nft/transaction.h"

#include "tests/support/fake_host.h"

namespace support {

namespace nft = netlib::nft;

inline const nft::Table kTable{netlib::Family::Ipv4, "t"};

inline netlib::Socket openNetfilter() { return netlib::Socket::open(netlib::Socket::Subsystem::Netfilter).value(); }

inline std::vector<std::uint8_t> bytesOf(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

/// An element of a map of addresses to addresses.
inline nft::Element mapped(std::uint32_t key, std::uint32_t data) {
  return {.key = bytesOf(key), .data = bytesOf(data)};
}

template <class Changes>
netlib::Result<> commit(netlib::Socket& socket, Changes changes) {
  nft::Transaction transaction;
  changes(transaction);
  return transaction.commit(socket);
}

/// The table with the map "m" of addresses to addresses.
inline netlib::Socket openWithMap() {
  netlib::Socket socket = openNetfilter();
  const auto made = commit(socket, [](auto& t) {
    t.addTable(kTable);
    t.addSet(kTable,
             {.name = "m", .keyType = nft::kIpv4Addr, .keyLength = 4, .dataType = nft::kIpv4Addr, .dataLength = 4});
  });
  REQUIRE(made.ok());
  return socket;
}

inline std::string ruleset() { return outputOf({"nft", "list", "ruleset"}); }

}  // namespace support
