// Containers of others, by the thousand: networks of their own, with one published port each.
#pragma once

#include <string>

#include "tests/bench/hosts.h"

namespace bench {

/// On a host of pons: really attached, those of one network to one namespace under different interface names. Then the
/// links go, and records, leases and ports stay: what thousands of links cost the kernel is another question.
class PonsCrowd {
 public:
  explicit PonsCrowd(Host host) : host_(std::move(host)) {}
  void growTo(Hosts& hosts, unsigned size);

 private:
  Program program(const std::string& netns, unsigned number) const;

  Host host_;
  unsigned size_ = 0;
};

/// On a host of the reference, which takes seconds for each when there are many: the rules and files that it would have
/// left.
class ReferenceCrowd {
 public:
  explicit ReferenceCrowd(Host host) : host_(std::move(host)) {}
  void growTo(unsigned size);

 private:
  Host host_;
  unsigned size_ = 0;
};

}  // namespace bench
