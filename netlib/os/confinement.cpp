#include "netlib/os/confinement.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netlib/os/allowed_calls.h"

namespace netlib {

namespace {

/// CAP_SYS_PTRACE: opening /proc/PID/ns/net of a process with more capabilities requires it (ptrace(2), "Ptrace access
/// mode checking"). The last three are for IPAM plugins of other vendors.
constexpr std::array<unsigned, 8> kKept{CAP_NET_ADMIN,    CAP_NET_RAW, CAP_SYS_ADMIN, CAP_SYS_PTRACE,
                                        CAP_DAC_OVERRIDE, CAP_CHOWN,   CAP_FOWNER,    CAP_NET_BIND_SERVICE};

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Sets onlyKept(const Sets& present) {
  Sets sets{};
  for (const unsigned capability : kKept) {
    const std::uint32_t bit = present.at(CAP_TO_INDEX(capability)).permitted & CAP_TO_MASK(capability);
    sets.at(CAP_TO_INDEX(capability)).permitted |= bit;
    sets.at(CAP_TO_INDEX(capability)).effective |= bit;
  }
  return sets;
}

Result<> limitCapabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  constexpr __user_cap_data_struct kAll{.effective = ~0U, .permitted = ~0U, .inheritable = 0};
  Sets present{kAll, kAll};
  if (syscall(SYS_capset, &header, onlyKept(present).data()) == 0) return {};
  // EPERM: one of them was not permitted before, as in a container with fewer capabilities.
  if (syscall(SYS_capget, &header, present.data()) < 0) return failErrno("read the capabilities");
  if (syscall(SYS_capset, &header, onlyKept(present).data()) < 0) return failErrno("drop capabilities");
  return {};
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#elif defined(__s390x__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_S390X;
#else
#error "the AUDIT_ARCH_ of this architecture (linux/audit.h) is missing here"
#endif

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

/// System calls from `first` up to the next segment's.
struct Segment {
  std::uint32_t first;
  std::uint32_t action;
};

std::vector<Segment> segmentsOf(std::vector<std::uint32_t> allowed) {
  constexpr std::uint32_t kX32 = 0x40000000;  // __X32_SYSCALL_BIT: x86-64's architecture, other numbers
  constexpr std::uint32_t kSkipped = ~0U;     // -1: a tracer has the call skipped, and sets its result itself
  std::ranges::sort(allowed);
  std::vector<Segment> segments{{0, kRefuse}};
  for (const std::uint32_t number : allowed) {
    const bool follows = segments.size() > 1 && segments.back().first == number;
    if (follows) segments.pop_back();
    if (!follows) segments.push_back({number, SECCOMP_RET_ALLOW});
    segments.push_back({number + 1, kRefuse});
  }
  segments.push_back({seccomp::kNewestCall + 1, kUnknown});
  segments.push_back({kX32, kRefuse});
  segments.push_back({kSkipped, SECCOMP_RET_ALLOW});
  return segments;
}

constexpr std::array kActions{static_cast<std::uint32_t>(SECCOMP_RET_ALLOW), kRefuse, kUnknown};

std::size_t indexOf(std::uint32_t action) {
  return static_cast<std::size_t>(std::ranges::find(kActions, action) - kActions.begin());
}

/// The jump offset from that instruction to another one; at most 255, enough for 250 segments.
std::uint8_t offset(std::size_t from, std::size_t to) { return static_cast<std::uint8_t>(to - from - 1); }

/// A binary search, as short as possible: its length is most of the time that the kernel takes to install it, and since
/// Linux 5.11 it runs once for each system call, for a cache of those that are always allowed. `returns`: where the
/// instructions for kActions will be.
void appendSearch(std::vector<sock_filter>& filter, std::span<const Segment> segments, std::size_t returns) {
  const std::size_t half = segments.size() / 2;
  const std::size_t branch = filter.size();
  filter.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, segments[half].first, 0, 0));
  const auto search = [&](std::span<const Segment> part) {
    if (part.size() == 1) return offset(branch, returns + indexOf(part[0].action));
    const std::uint8_t next = offset(branch, filter.size());
    appendSearch(filter, part, returns);
    return next;
  };
  const std::uint8_t below = search(segments.first(half));
  const std::uint8_t above = search(segments.subspan(half));
  filter[branch].jf = below;
  filter[branch].jt = above;
}

std::vector<sock_filter> filterOf(std::vector<std::uint32_t> allowed) {
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                                  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  const std::vector<Segment> segments = segmentsOf(std::move(allowed));
  appendSearch(filter, segments, filter.size() + segments.size() - 1);
  for (const std::uint32_t action : kActions) filter.push_back(sock_filter BPF_STMT(BPF_RET | BPF_K, action));
  return filter;
}

void append(std::vector<std::uint32_t>& numbers, std::span<const seccomp::Calls> lists) {
  for (const seccomp::Calls list : lists) numbers.insert(numbers.end(), list.begin(), list.end());
}

Result<> limitCalls(Programs programs) {
  std::vector<std::uint32_t> allowed;
  append(allowed, seccomp::kOwnCalls);
#ifdef __SANITIZE_ADDRESS__  // LeakSanitizer attaches to its own process
  programs = Programs::Some;
  allowed.push_back(SYS_ptrace);
#endif
  if (programs == Programs::Some) append(allowed, seccomp::kProgramCalls);
  std::vector<sock_filter> filter = filterOf(std::move(allowed));
  sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 || errno == ENOSYS || errno == EINVAL) return {};
  return failErrno("install the seccomp filter");
}

}  // namespace

Result<> confine(Programs programs) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return failErrno("set no_new_privs");
  TRY(limitCapabilities());
  return limitCalls(programs);
}

}  // namespace netlib
