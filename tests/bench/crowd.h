// Containers of others, by the thousand: networks of their own, with one published port each.
#pragma once

#include <string>

#include "tests/bench/hosts.h"

namespace bench {

/// On a host of pons: really attached. Those of one network share a namespace, under different interface names.
class PonsCrowd {
 public:
  explicit PonsCrowd(Host host) : host_(std::move(host)) {}
  void growTo(Hosts& hosts, unsigned size);

 private:
  Program program(const std::string& netns, unsigned number) const;

  Host host_;
  unsigned size_ = 0;
  std::string netns_;
};

/// On a host of the reference, which takes seconds for each when there are many: the rules and files that it would have
/// left, but no links, which is in its favour.
class ReferenceCrowd {
 public:
  explicit ReferenceCrowd(Host host) : host_(std::move(host)) {}
  void growTo(unsigned size);

 private:
  Host host_;
  unsigned size_ = 0;
};

}  // namespace bench
