// Thousands of existing containers, in networks of their own, with one published port each.
#pragma once

#include <string>

#include "tests/bench/hosts.h"

namespace bench {

/// Attached by pons, each in a namespace of its own, with links that stay up.
class PonsContainers {
 public:
  /// `members` of the configuration begin with a comma.
  explicit PonsContainers(Host host, std::string members = {}) : host_(std::move(host)), members_(std::move(members)) {}
  void growTo(Hosts& hosts, unsigned size);

 private:
  Program program(const std::string& netns, unsigned number) const;

  Host host_;
  std::string members_;
  unsigned size_ = 0;
};

/// The rules and files that the reference plugins would have created. They need seconds for each container when there
/// are thousands.
class ReferenceContainers {
 public:
  explicit ReferenceContainers(Host host) : host_(std::move(host)) {}
  void growTo(unsigned size);

 private:
  Host host_;
  unsigned size_ = 0;
};

}  // namespace bench
