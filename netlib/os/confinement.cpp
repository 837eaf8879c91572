#include "netlib/os/confinement.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/// Compares the system call number only, not the architecture: a program of another architecture (32 bits) has other
/// numbers for the same calls, and is limited by capabilities and no_new_privs only.
std::vector<sock_filter> filterOf(const std::vector<std::uint32_t>& refused) {
  constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber)};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const auto toRefusal = static_cast<std::uint8_t>(refused.size() - i);
    filter.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], toRefusal, 0));
  }
  filter.push_back(sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  filter.push_back(sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  return filter;
}

Result<> refuseCalls() {
  const std::vector<std::uint32_t> refused{
#ifndef __SANITIZE_ADDRESS__  // LeakSanitizer attaches to its own process
      SYS_ptrace,
#endif
      SYS_process_vm_readv, SYS_process_vm_writev, SYS_bpf,       SYS_perf_event_open,
      SYS_userfaultfd,      SYS_io_uring_setup,    SYS_pivot_root};
  std::vector<sock_filter> filter = filterOf(refused);
  sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 || errno == ENOSYS || errno == EINVAL) return {};
  return failErrno("install the seccomp filter");
}

}  // namespace

Result<> confine() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return failErrno("set no_new_privs");
  TRY(limitCapabilities());
  return refuseCalls();
}

}  // namespace netlib
