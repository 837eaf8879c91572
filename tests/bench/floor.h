// Lower bounds: the kernel requests that every plugin needs, sent by this process, without a ledger, checks or
// rollback; the removal of a link alone; the start and end of a program that does nothing.
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

/// RTM_DELLINK alone, of what Floor has added: only that is measured.
class LinkRemoval {
 public:
  explicit LinkRemoval(std::string host) : floor_(host), host_(std::move(host)) {}

  Cost add(const Container& container) const;
  Cost del(const Container& container) const;
  void addAtOnce(const std::vector<Container>& containers) const { floor_.addAtOnce(containers); }
  /// Leaves the elements of the table, which are not part of it.
  void delAtOnce(const std::vector<Container>& containers) const;

 private:
  Cost removeLink(const Container& container) const;

  Floor floor_;
  std::string host_;
};

/// A program as static as pons that does nothing, in place of an ADD.
class ProgramStart {
 public:
  Cost add(const Container& container) const;
  Cost del(const Container&) const { return {}; }
  void addAtOnce(const std::vector<Container>& containers) const;
  void delAtOnce(const std::vector<Container>&) const {}
};

}  // namespace bench
