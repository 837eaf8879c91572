// The system calls that the seccomp filter of confinement.cpp allows. From traces of the tests, from the sources, and
// from glibc's and the Go runtime's fallbacks. Included by confinement.cpp only.
//
// What must not be missing: libc ends the process where futex fails with EPERM, and where getrandom fails with another
// error than ENOSYS; for memory (brk, mmap, mremap, munmap, mprotect), rt_sigreturn, restart_syscall and exit_group it
// has no fallback; it starts a program without clone3 only after ENOSYS.
#pragma once

#include <array>
#include <span>

#include <sys/syscall.h>

namespace netlib::seccomp {

inline constexpr std::array kFiles{
    SYS_read,      SYS_write,      SYS_pread64,         SYS_pwrite64,   SYS_readv,
    SYS_writev,    SYS_preadv,     SYS_pwritev,         SYS_preadv2,    SYS_pwritev2,
    SYS_lseek,     SYS_openat,     SYS_openat2,         SYS_close,      SYS_close_range,
    SYS_fstat,     SYS_newfstatat, SYS_statx,           SYS_statfs,     SYS_fstatfs,
    SYS_faccessat, SYS_faccessat2, SYS_getdents64,      SYS_readlinkat, SYS_fcntl,
    SYS_flock,     SYS_ftruncate,  SYS_fallocate,       SYS_fsync,      SYS_fdatasync,
    SYS_fchmod,    SYS_fchmodat,   SYS_fchown,          SYS_fchownat,   SYS_mkdirat,
    SYS_unlinkat,  SYS_renameat,   SYS_renameat2,       SYS_linkat,     SYS_symlinkat,
    SYS_utimensat, SYS_sendfile,   SYS_copy_file_range, SYS_dup,        SYS_dup3,
    SYS_pipe2,     SYS_ioctl,      SYS_getcwd,          SYS_umask,      SYS_memfd_create};
/// Namespaces, and a container's resolv.conf.
inline constexpr std::array kMounts{SYS_setns,     SYS_mount,      SYS_umount2,
                                    SYS_open_tree, SYS_move_mount, SYS_mount_setattr};
inline constexpr std::array kSockets{
    SYS_socket,          SYS_socketpair,  SYS_bind,         SYS_connect,  SYS_getsockname,    SYS_getpeername,
    SYS_getsockopt,      SYS_setsockopt,  SYS_sendto,       SYS_recvfrom, SYS_sendmsg,        SYS_recvmsg,
    SYS_sendmmsg,        SYS_recvmmsg,    SYS_shutdown,     SYS_ppoll,    SYS_pselect6,       SYS_epoll_create1,
    SYS_epoll_ctl,       SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_timerfd_create, SYS_timerfd_settime,
    SYS_timerfd_gettime, SYS_signalfd4};
inline constexpr std::array kSignals{SYS_rt_sigaction,    SYS_rt_sigprocmask, SYS_rt_sigreturn,    SYS_rt_sigpending,
                                     SYS_rt_sigtimedwait, SYS_rt_sigsuspend,  SYS_rt_sigqueueinfo, SYS_sigaltstack,
                                     SYS_tkill,           SYS_tgkill,         SYS_setitimer,       SYS_getitimer,
                                     SYS_restart_syscall};
inline constexpr std::array kMemory{SYS_brk,
                                    SYS_mmap,
                                    SYS_munmap,
                                    SYS_mprotect,
                                    SYS_mremap,
                                    SYS_madvise,
                                    SYS_membarrier,
                                    SYS_futex,
                                    SYS_set_robust_list,
                                    SYS_get_robust_list,
                                    SYS_set_tid_address,
                                    SYS_rseq,
                                    SYS_sched_yield,
                                    SYS_sched_getaffinity,
                                    SYS_getcpu,
                                    SYS_exit,
                                    SYS_exit_group};
inline constexpr std::array kProcess{SYS_getpid, SYS_getppid,   SYS_gettid,    SYS_getuid,    SYS_geteuid,
                                     SYS_getgid, SYS_getegid,   SYS_prctl,     SYS_seccomp,   SYS_capget,
                                     SYS_capset, SYS_prlimit64, SYS_getrlimit, SYS_setrlimit, SYS_getrusage};
inline constexpr std::array kTime{SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep,
                                  SYS_gettimeofday,  SYS_getrandom,    SYS_uname,           SYS_sysinfo};
/// Of headers later than Debian 12's, on all architectures: cachestat, fchmodat2, map_shadow_stack, futex_wake,
/// futex_wait, futex_requeue and mseal.
inline constexpr std::array kNewer{451, 452, 453, 454, 455, 456, 462};
#ifdef __aarch64__  // has none that a newer call replaces
inline constexpr std::array<int, 0> kOlder{};
#else
inline constexpr std::array kOlder{
    SYS_open,         SYS_access,     SYS_readlink, SYS_stat,     SYS_lstat, SYS_unlink, SYS_mkdir,   SYS_rmdir,
    SYS_rename,       SYS_link,       SYS_symlink,  SYS_chmod,    SYS_chown, SYS_dup2,   SYS_pipe,    SYS_poll,
    SYS_epoll_create, SYS_epoll_wait, SYS_eventfd,  SYS_signalfd, SYS_alarm, SYS_select, SYS_getdents};
#endif

/// What programs of others do in addition: the calls that the default profile of the container engines allows an
/// unprivileged container (profiles/seccomp of Moby), without System V IPC, message queues and io_submit(2). An IPAM
/// plugin is any program, most are in Go; iptables may be a script.
inline constexpr std::array kPrograms{SYS_execve,
                                      SYS_execveat,
                                      SYS_clone,
                                      SYS_clone3,
                                      SYS_wait4,
                                      SYS_waitid,
                                      SYS_pidfd_open,
                                      SYS_kill,
                                      SYS_setsid,
                                      SYS_getsid,
                                      SYS_setpgid,
                                      SYS_getpgid,
                                      SYS_pidfd_send_signal,
                                      SYS_rt_tgsigqueueinfo};
inline constexpr std::array kDirectories{SYS_unshare, SYS_chroot,   SYS_chdir,   SYS_fchdir,
                                         SYS_fsopen,  SYS_fsconfig, SYS_fsmount, SYS_fspick};
inline constexpr std::array kForeignFiles{
    SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_truncate,   SYS_mknodat,     SYS_sync,
    SYS_syncfs,        SYS_sync_file_range,   SYS_fadvise64,        SYS_readahead,  SYS_splice,      SYS_tee,
    SYS_vmsplice,      SYS_setxattr,          SYS_lsetxattr,        SYS_fsetxattr,  SYS_getxattr,    SYS_lgetxattr,
    SYS_fgetxattr,     SYS_listxattr,         SYS_llistxattr,       SYS_flistxattr, SYS_removexattr, SYS_lremovexattr,
    SYS_fremovexattr};
inline constexpr std::array kForeignMemory{
    SYS_mincore,    SYS_msync,      SYS_mlock,     SYS_mlock2,        SYS_munlock,          SYS_mlockall,
    SYS_munlockall, SYS_pkey_alloc, SYS_pkey_free, SYS_pkey_mprotect, SYS_process_mrelease, SYS_futex_waitv};
inline constexpr std::array kTimers{SYS_timer_create,     SYS_timer_settime, SYS_timer_gettime,
                                    SYS_timer_getoverrun, SYS_timer_delete,  SYS_times};
inline constexpr std::array kScheduling{SYS_getpriority,
                                        SYS_setpriority,
                                        SYS_sched_setaffinity,
                                        SYS_sched_getparam,
                                        SYS_sched_setparam,
                                        SYS_sched_getscheduler,
                                        SYS_sched_setscheduler,
                                        SYS_sched_get_priority_max,
                                        SYS_sched_get_priority_min,
                                        SYS_sched_rr_get_interval,
                                        SYS_sched_getattr,
                                        SYS_sched_setattr,
                                        SYS_ioprio_get,
                                        SYS_ioprio_set};
inline constexpr std::array kUsers{SYS_getgroups, SYS_setgroups, SYS_getresuid, SYS_getresgid,
                                   SYS_setuid,    SYS_setgid,    SYS_setreuid,  SYS_setregid,
                                   SYS_setresuid, SYS_setresgid, SYS_setfsuid,  SYS_setfsgid};
inline constexpr std::array kForeignOther{SYS_listen,
                                          SYS_accept4,
                                          SYS_personality,
                                          SYS_landlock_create_ruleset,
                                          SYS_landlock_add_rule,
                                          SYS_landlock_restrict_self};
#ifdef __aarch64__
inline constexpr std::array<int, 0> kForeignOlder{};
#else
inline constexpr std::array kForeignOlder{SYS_fork,  SYS_vfork, SYS_getpgrp, SYS_pause,     SYS_creat,       SYS_lchown,
                                          SYS_mknod, SYS_utime, SYS_utimes,  SYS_futimesat, SYS_inotify_init};
#endif

#if defined(__x86_64__)  // 335: uretprobe, in the return trampoline of a traced function
inline constexpr std::array kOfArchitecture{SYS_arch_prctl, SYS_time, SYS_accept, 335};
#elif defined(__s390x__)  // socketcall: of the Go runtime
inline constexpr std::array kOfArchitecture{SYS_socketcall};
#else
inline constexpr std::array kOfArchitecture{SYS_accept};
#endif

using Calls = std::span<const int>;

/// What pons, ponsctl and their libraries do themselves.
inline constexpr std::array<Calls, 10> kOwnCalls{kFiles,   kMounts, kSockets, kSignals, kMemory,
                                                 kProcess, kTime,   kOlder,   kNewer,   kOfArchitecture};
inline constexpr std::array<Calls, 9> kProgramCalls{kPrograms,   kDirectories, kForeignFiles, kForeignMemory, kTimers,
                                                    kScheduling, kUsers,       kForeignOther, kForeignOlder};

/// Of Linux 6.17. Later calls do not exist for the process, as in an older kernel.
inline constexpr unsigned kNewestCall = 469;

}  // namespace netlib::seccomp
