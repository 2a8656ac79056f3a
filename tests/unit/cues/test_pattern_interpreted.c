/* Patterns where no program may make code, as under systemd's MemoryDenyWriteExecute: the same
 * answers and the same limits, only slower. The filter is the one that systemd installs: no memory
 * that may be both written and run. */
#include "cues/pattern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cmocka.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the filter reads the low half of an argument"
#endif

enum { PROTECTION = 2 }; /* which argument of mmap and mprotect it is */

static int deny_write_and_execute(void **state)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 4, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[PROTECTION])),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_WRITE | PROT_EXEC, 3, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[PROTECTION])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};
    (void)state;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("skipped: this system lets no filter of system calls be installed");
        return 1;
    }
    void *both =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return both == MAP_FAILED ? 0 : -1;
}

static struct pattern *compile(const char *expression)
{
    struct pattern *pattern;
    struct error err;
    if (pattern_compile(expression, false, &pattern, &err)) {
        fail_msg("%s: %s", expression, err.message);
    }
    assert_false(pattern_is_fast(pattern));
    return pattern;
}

static enum pattern_answer answer(const char *expression, const char *text)
{
    struct pattern *pattern = compile(expression);
    enum pattern_answer found = pattern_match(pattern, text, strlen(text));
    pattern_free(pattern);
    return found;
}

static void patterns_are_interpreted_with_the_same_answers(void **state)
{
    (void)state;
    assert_int_equal(answer("cancel\\w* (my|the) (account|contract)", "I CANCELLED my contract"),
                     PATTERN_FOUND);
    assert_int_equal(answer("cancel\\w* (my|the) (account|contract)", "cancel your contract"),
                     PATTERN_ABSENT);
    assert_int_equal(answer("\\b\\d{3}-\\d{4}\\b", "call 555-0123 now"), PATTERN_FOUND);
    assert_int_equal(answer("stra\303\237e", "STRA\303\237E"), PATTERN_FOUND);
    assert_int_equal(answer("(\\w+) \\1", "no no"), PATTERN_FOUND);
}

static void one_that_runs_away_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(answer("(a+)+[bd]", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"),
                     PATTERN_GIVEN_UP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_interpreted_with_the_same_answers),
        cmocka_unit_test(one_that_runs_away_is_given_up),
    };
    int denied = deny_write_and_execute(NULL);
    return denied == 1 ? 0 : denied || cmocka_run_group_tests(tests, NULL, NULL);
}
