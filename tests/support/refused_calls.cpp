#include "tests/support/refused_calls.h"

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdio>

#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace support {

namespace {

constexpr unsigned kMfdNoExecSeal = 0x8;  // Linux 6.3

/// Of the low half: arguments are 64 bits wide, and a filter reads 32.
std::uint32_t offsetOf(unsigned argument) {
  const std::size_t half = std::endian::native == std::endian::big ? sizeof(std::uint32_t) : 0;
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t) + half);
}

void append(std::vector<sock_filter>& filter, const RefusedCall& call) {
  const std::uint8_t toNext = call.argument ? 3 : 1;
  filter.push_back(sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  filter.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, toNext));
  if (call.argument) {
    filter.push_back(sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetOf(call.argument->index)));
    filter.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.argument->value, 0, 1));
  }
  filter.push_back(sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(call.error)));
}

RefusedCall refusedOption(int option, int error) {
  return {SYS_setsockopt, error, RefusedCall::Argument{2, static_cast<std::uint32_t>(option)}};
}

}  // namespace

void refuse(const std::vector<RefusedCall>& calls) {
  std::vector<sock_filter> filter;
  for (const RefusedCall& call : calls) append(filter, call);
  filter.push_back(sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) return;
  std::perror("install a seccomp filter");
  _exit(126);
}

const std::vector<OlderKernel>& olderKernels() {
  const RefusedCall noExecSeal{SYS_memfd_create, EINVAL, RefusedCall::Argument{1, MFD_CLOEXEC | kMfdNoExecSeal}};
  static const std::vector<OlderKernel> all{
      {"Linux 5.10",
       {{SYS_close_range, EINVAL, RefusedCall::Argument{2, CLOSE_RANGE_CLOEXEC}},
        {SYS_mount_setattr, ENOSYS},
        noExecSeal}},
      {"Linux 5.4",
       {{SYS_close_range, ENOSYS},
        {SYS_mount_setattr, ENOSYS},
        {SYS_openat2, ENOSYS},
        {SYS_faccessat2, ENOSYS},
        noExecSeal}},
      {"without pidfd_open(2)", {{SYS_pidfd_open, ENOSYS}}},
      {"a sandbox that refuses what it does not know",
       {{SYS_close_range, EPERM}, {SYS_mount_setattr, EPERM}, {SYS_openat2, EPERM}, {SYS_pidfd_open, EPERM}}},
      {"a user namespace's socket options",
       {refusedOption(SO_SNDBUFFORCE, EPERM), refusedOption(SO_RCVBUFFORCE, EPERM)}},
      {"no socket options",
       {refusedOption(NETLINK_EXT_ACK, ENOPROTOOPT), refusedOption(NETLINK_GET_STRICT_CHK, ENOPROTOOPT),
        refusedOption(SO_SNDBUFFORCE, EPERM), refusedOption(SO_RCVBUFFORCE, EPERM), refusedOption(SO_SNDBUF, EPERM),
        refusedOption(SO_RCVBUF, EPERM)}}};
  return all;
}

}  // namespace support
