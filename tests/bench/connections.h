// TCP connections to containers from outside of their hosts.
#pragma once

#include "tests/bench/hosts.h"
#include "tests/bench/samples.h"
#include "tests/support/process.h"

namespace bench {

/// Accepts connections at a port of that namespace and closes them, while it lives.
class Acceptor {
 public:
  Acceptor(const std::string& netns, unsigned port);

 private:
  support::ForkedProcess server_;
};

/// Made from that namespace and closed one after the other.
double connectionsPerSecond(const std::string& from, const std::string& address, unsigned port, unsigned count);

/// A container that accepts connections and closes them, and the way to it.
class Service {
 public:
  /// By its published port; the floor, for which nothing is translated, by the container's own address.
  Service(Hosts& hosts, Subject subject, const Host& host, const Chain& chain);

  Subject subject() const { return subject_; }
  /// Made and closed one after the other.
  double connectionsPerSecond(unsigned count) const;
  /// Takes the container away.
  void end();

 private:
  Subject subject_;
  Host host_;
  Chain chain_;
  Container container_;
  Acceptor acceptor_;
};

}  // namespace bench
