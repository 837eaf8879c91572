// Traffic over one flow, in runs that are short enough to be compared by the hundred: a busy machine disturbs some of
// them, and the median of the ratios within each round does not follow.
#pragma once

#include <string>

#include "netlib/base/unique_fd.h"

#include "tests/support/process.h"

namespace bench {

/// From a namespace to an address and port, behind which is that port in another namespace.
struct Way {
  std::string from;
  std::string address;
  unsigned port;
  std::string to;
  unsigned toPort;
};

/// UDP datagrams of the smallest size. Over veths the kernel takes a packet all the way to the receiver's socket in the
/// context of the sender, whose processor time is therefore that of the whole way, and free of other programs'.
class Datagrams {
 public:
  explicit Datagrams(const Way& way);
  double perProcessorSecond(unsigned count) const;

 private:
  netlib::UniqueFd receiver_;  ///< never read: what does not fit is dropped there, at the end of the way
  netlib::UniqueFd sender_;
};

/// One TCP connection, whose receiver answers each chunk with one byte.
class Stream {
 public:
  explicit Stream(const Way& way);
  double gigabitsPerSecond() const;

 private:
  support::ForkedProcess receiver_;
  netlib::UniqueFd sender_;
};

}  // namespace bench
