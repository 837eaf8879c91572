// A ledger in a scratch directory, and helpers for tests of it.
#pragma once

#include <doctest/doctest.h>

#include "plugin/ledger/reservation.h"

#include "tests/support/attachments.h"
#include "tests/support/scratch.h"

namespace support {

class LedgerBench {
 public:
  pons::Ledger open(std::chrono::milliseconds patience = std::chrono::milliseconds{50}) const {
    return pons::Ledger::open(path(), patience).value();
  }
  std::string path() const { return scratch_ / "pons"; }

  /// The target of a symlink; empty if there is none.
  std::string linkAt(const std::string& name) const {
    std::error_code none;
    return std::filesystem::read_symlink(path() + "/" + name, none).string();
  }

  std::vector<std::string> links() const {
    std::vector<std::string> links;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
      if (entry.is_symlink())
        links.push_back(std::filesystem::relative(entry.path().parent_path(), path()) / entry.path().filename());
    }
    return links;
  }

  /// Everything below the top-level directories, which are not removed.
  std::vector<std::string> dump() const {
    std::vector<std::string> names;
    for (const char* top : {"networks", "ports", "holds", "originals", "staged"}) {
      if (!std::filesystem::exists(path() + "/" + top)) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path() + "/" + top)) {
        names.push_back(entry.path());
      }
    }
    std::ranges::sort(names);
    return names;
  }

 private:
  Scratch scratch_;
};

/// To port 80 of 10.42.0.2 or fd00::2.
inline pons::PortForward forward(const std::string& hostAddress, pons::Port port,
                                 pons::Protocol protocol = pons::Protocol::Tcp) {
  const auto address = ip(hostAddress);
  return {protocol, address, port, address.isIpv4() ? ip("10.42.0.2") : ip("fd00::2"), 80};
}

inline pons::AddressRequest requestFor(const std::string& subnet, std::vector<std::string> requested = {}) {
  pons::AddressRequest request;
  request.sets = {{pons::Range::make(prefix(subnet), std::nullopt, std::nullopt, std::nullopt).value()}};
  for (const std::string& address : requested) request.requested.push_back(ip(address));
  return request;
}

/// On the bridge of attachmentOf().
inline netlib::Result<pons::Reservation, pons::Refusal> reserve(pons::Ledger& ledger, const pons::AttachmentKey& key,
                                                                const pons::AddressRequest& request) {
  return ledger.reserve(key, attachmentOf(key, {}).bridge.name, request);
}

/// What ADD does with the ledger.
inline netlib::Result<pons::Record, pons::Refusal> claim(pons::Ledger& ledger, const pons::AttachmentKey& key,
                                                         const pons::AddressRequest& request,
                                                         const std::vector<pons::PortForward>& forwards = {}) {
  auto reservation = TRY(reserve(ledger, key, request));
  pons::Attachment attachment = attachmentOf(key, reservation.leases(), forwards);
  attachment.pool = pons::spansOf(request.sets);
  return std::move(reservation).write(std::move(attachment));
}

/// An attachment with exactly these addresses, committed.
inline void attach(pons::Ledger& ledger, const pons::Attachment& attachment) {
  pons::AddressRequest request;
  request.fixed = attachment.leases;
  auto record = ledger.reserve(attachment.key, attachment.bridge.name, request).value().write(attachment);
  REQUIRE(record.ok());
  CHECK(ledger.commit(*record).ok());
}

/// What DEL does with the ledger.
inline void release(pons::Ledger& ledger, const pons::AttachmentKey& key) {
  const auto record = ledger.find(key).value();
  if (!record) return;
  const auto lock = ledger.lockHost().value();
  CHECK(ledger.release(lock, *record).ok());
}

}  // namespace support
