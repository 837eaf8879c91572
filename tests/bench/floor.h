// The lower bound: the kernel requests that every plugin needs, sent by this process, without a ledger, checks or
// rollback.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/chain.h"
#include "tests/bench/cost.h"

namespace bench {

class Floor {
 public:
  /// In the namespace `host` pons has attached a container: bridge, masquerade and table exist.
  explicit Floor(std::string host) : host_(std::move(host)) {}

  /// One RTM_NEWLINK, one batch in the container, one nf_tables transaction, and the sockets for them.
  Cost add(const Container& container) const;
  /// One nf_tables transaction and one RTM_DELLINK.
  Cost del(const Container& container) const;
  /// The same for all, each in a thread.
  void addAtOnce(const std::vector<Container>& containers) const;
  void delAtOnce(const std::vector<Container>& containers) const;

 private:
  std::string host_;
};

}  // namespace bench
