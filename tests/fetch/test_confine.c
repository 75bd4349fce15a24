/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the process cannot do any more. Each try is a child's, and its end. */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fetch/confine.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* How a child ended that confined itself and then did that. */
static int ended(void (*act)(void))
{
	int status;
	pid_t child = fork();

	assert_int_not_equal(child, -1);
	if (!child) {
		if (fetch_confine_calls(NULL))
			_exit(99);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void nothing(void) {}

static void try_exec(void)
{
	char *const argv[] = { NULL };

	execve("/bin/true", argv, argv);
}

static void try_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void try_trace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void try_packet(void)
{
	socket(AF_PACKET, SOCK_RAW, 0);
}

static void try_user(void)
{
	(void)!setuid(0);
}

static void try_kill(void)
{
	kill(getppid(), 0);
}

static void try_thread_kill(void)
{
	tgkill(getppid(), getppid(), 0);
}

static void try_dump(void)
{
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void try_abort(void)
{
	if (raise(SIGURG)) /* ignored, but it is sent */
		_exit(1);
}

static void *idle(void *arg)
{
	return arg;
}

static void try_thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, idle, NULL) || pthread_join(id, NULL))
		_exit(1);
}

static void try_name(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0 || close(fd) < 0 || access("/etc/hosts", R_OK) < 0)
		_exit(1);
}

static void what_is_left(void **state)
{
	void (*const acts[])(void) = { nothing, try_thread, try_name, try_abort };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(acts); i++) {
		int status = ended(acts[i]);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void what_kills(void **state)
{
	void (*const acts[])(void) = { try_exec, try_fork, try_trace,       try_packet,
		                       try_user, try_kill, try_thread_kill, try_dump };

	(void)state;
#ifdef SANITIZED
	skip(); /* only watched there */
#endif
	for (size_t i = 0; i < BASE_COUNT(acts); i++) {
		int status = ended(acts[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%zu: status %x", i, (unsigned)status);
	}
}

static void root_needs_a_user(void **state)
{
	struct base_error err = { 0 };

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(fetch_confine_user(NULL, 0, 0, &err), 0);
		return;
	}
	assert_int_equal(base_err_class(fetch_confine_user(NULL, 0, 0, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "fetch.user"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left),
		cmocka_unit_test(what_kills),
		cmocka_unit_test(root_needs_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
