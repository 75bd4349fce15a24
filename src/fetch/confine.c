/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/confine.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

int fetch_confine_user(const char *user, uid_t uid, gid_t gid, struct base_error *err)
{
	if (geteuid() != 0 && getuid() != 0)
		return 0;
	if (!user)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "this program does not run as root: set fetch.user, or "
		                      "start it as another user");
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot become %s: %s",
		                      user, strerror(errno));
	if (setuid(0) == 0 || geteuid() == 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "still root as %s", user);
	return 0;
}

/* By what they are for. Nothing starts a program, traces, mounts, or changes who we are. */
static const int calls[] = {
	/* octets */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(ioctl),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	/* files: the cache, the configuration, libraries' own */
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(fstat),
	SCMP_SYS(stat64),
	SCMP_SYS(fstat64),
	SCMP_SYS(lstat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getdents),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(chmod),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(flock),
	SCMP_SYS(ftruncate),
	SCMP_SYS(umask),
	/* memory */
	SCMP_SYS(mmap),
	SCMP_SYS(mmap2),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	/* sockets; which kinds is told below */
	SCMP_SYS(socketpair),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(connect),
	SCMP_SYS(shutdown),
	SCMP_SYS(send),
	SCMP_SYS(recv),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	/* waiting and time */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(eventfd2),
	SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(restart_syscall),
	/* threads and signals of our own */
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	/* who we are: asked, never changed */
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrandom),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	SCMP_SYS(getrusage),
};

static int rules_add(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	int failed = 0;

	for (size_t i = 0; i < BASE_COUNT(calls) && !failed; i++)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; i < BASE_COUNT(families) && !failed; i++)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		                          SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	/* A thread, not a process; clone3 hides its flags, so libc is sent to clone. */
	if (!failed)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		                          SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_VM | CLONE_THREAD,
		                                  CLONE_VM | CLONE_THREAD));
	if (!failed)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* abort() signals itself, and nobody else. */
	if (!failed)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		                          SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* Limits are asked for, not set; a thread may have a name. */
	if (!failed)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
		                          SCMP_A2(SCMP_CMP_EQ, 0));
	if (!failed)
		failed = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		                          SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	return failed;
}

int fetch_confine_calls(struct base_error *err)
{
	scmp_filter_ctx ctx = NULL;
	int failed = 0;

	/* A sanitizer looks for leaks by tracing the process, at its end. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		failed = -errno;
	if (!failed)
		ctx = seccomp_init(SANITIZED ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
	if (!failed && !ctx)
		failed = -ENOMEM;
	if (!failed)
		failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!failed)
		failed = rules_add(ctx);
	if (!failed)
		failed = seccomp_load(ctx);
	seccomp_release(ctx);
	if (!failed)
		return 0;
	return base_error_set(err, BASE_ERR(BASE_LOCAL, (unsigned)-failed),
	                      "cannot confine the process (seccomp): %s", strerror(-failed));
}
