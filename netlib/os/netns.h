// A network namespace by its descriptor: opened once, entered to open sockets there, and told apart from the one that
// the same path may name later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// Device and inode of the namespace's file in nsfs. Unique among the namespaces that exist at one time: both numbers
/// may be given again to another namespace once nothing holds the first.
struct NetnsIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const NetnsIdentity&, const NetnsIdentity&) = default;
};

/// Which namespace the path names, without opening it; nothing where it names nothing (any more).
Result<std::optional<NetnsIdentity>> netnsAt(const std::string& path);

class Netns {
 public:
  /// The namespace that `path` names (a bind mount as in /run/netns, or /proc/PID/ns/net), kept alive by this object.
  /// ENOENT: there is no such path. EXDEV, our tag for "wrong namespace": the path names something else than a network
  /// namespace, or the one that this thread is in.
  static Result<Netns> open(const std::string& path);

  /// For IFLA_NET_NS_FD; owned here.
  int fd() const { return there_.get(); }
  NetnsIdentity id() const { return id_; }

  /// Succeeds while `path` names this namespace. EXDEV: it names another one by now, as /proc/PID/ns/net does when the
  /// id of an ended process was given to a new one. ENOENT: it names nothing any more.
  Result<> verifyStillAt(const std::string& path) const;

  /// Runs `work` with this thread in the namespace and returns its Result. The thread comes back to the namespace that
  /// it was in at open(), or the process ends: in the wrong namespace the next request would hit somebody's host.
  template <class Work>
  auto inside(Work work) const -> std::invoke_result_t<Work> {
    TRY(enter());
    const Return home{*this};
    return work();
  }

 private:
  struct Return {
    const Netns& netns;
    ~Return() { netns.leave(); }
  };

  Netns(UniqueFd there, UniqueFd home, NetnsIdentity id, std::string path)
      : there_(std::move(there)), home_(std::move(home)), id_(id), path_(std::move(path)) {}

  Result<> enter() const;
  void leave() const;

  UniqueFd there_;
  UniqueFd home_;
  NetnsIdentity id_;
  std::string path_;
};

}  // namespace netlib
