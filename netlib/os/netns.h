// A network namespace by its descriptor: opened once, entered to open sockets there, and compared with the one that the
// same path may refer to later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// Device and inode of the namespace's file in nsfs (namespaces(7)). Unique among existing namespaces; the numbers may
/// be reused after the last reference to a namespace is closed.
struct NetnsIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const NetnsIdentity&, const NetnsIdentity&) = default;
};

/// The namespace at that path by stat(2), without opening it; nothing if the path does not exist.
Result<std::optional<NetnsIdentity>> netnsAt(const std::string& path);

class Netns {
 public:
  /// The namespace at `path` (a bind mount as in /run/netns, or /proc/PID/ns/net), kept alive by this object. ENOENT:
  /// there is no such path. WrongNetns: not a network namespace, or the one of this thread.
  static Result<Netns> open(const std::string& path);

  /// For IFLA_NET_NS_FD; owned by this object.
  int fd() const { return target_.get(); }
  NetnsIdentity id() const { return id_; }

  /// Succeeds while `path` refers to this namespace. WrongNetns: it refers to another one, as /proc/PID/ns/net does
  /// after the PID has been reused. ENOENT: there is no such path any more.
  Result<> verifyStillAt(const std::string& path) const;

  /// Runs `work` with this thread in the namespace (setns(2)) and returns its Result. Afterwards the thread is again in
  /// the namespace that it was in at open(); if that fails the process aborts, as later requests would change the
  /// container instead of the host.
  template <class Work>
  auto inside(Work work) const -> std::invoke_result_t<Work> {
    TRY(enter());
    const Return onExit{*this};
    return work();
  }

 private:
  struct Return {
    const Netns& netns;
    ~Return() { netns.leave(); }
  };

  Netns(UniqueFd target, UniqueFd original, NetnsIdentity id, std::string path)
      : target_(std::move(target)), original_(std::move(original)), id_(id), path_(std::move(path)) {}

  Result<> enter() const;
  void leave() const;

  UniqueFd target_;
  UniqueFd original_;
  NetnsIdentity id_;
  std::string path_;
};

}  // namespace netlib
