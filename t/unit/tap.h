#ifndef _KZ_TAP_H_INCLUDED_
#define _KZ_TAP_H_INCLUDED_

/*
 * TAP for C: every test program includes this once, calls ok() and friends
 * as often as it likes and ends with "return tap_done();".
 *
 * A comment of the program may name what it is built from besides src/util
 * and the shim, relative to src, and what it is linked with; either line may
 * come more than once:
 *
 *     sources: proto/ws/kz_ws_frame.c
 *     libs: -ljansson
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static int  tap_n;
static int  tap_failed;


static int __attribute__((format(printf, 4, 5), unused))
tap_ok(int passed, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    printf("%sok %d - ", passed ? "" : "not ", ++tap_n);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");

    if (!passed) {
        tap_failed++;
        printf("#   at %s line %d\n", file, line);
    }

    fflush(stdout);

    return passed;
}


static int __attribute__((unused))
tap_is(const void *got, size_t got_len, const void *want, size_t want_len,
    const char *file, int line, const char *name)
{
    int  passed;

    passed = (got_len == want_len
              && (want_len == 0 || memcmp(got, want, want_len) == 0));

    tap_ok(passed, file, line, "%s", name);

    if (!passed) {
        printf("#        got: \"%.*s\" (%zu)\n"
               "#   expected: \"%.*s\" (%zu)\n",
               (int) got_len, (const char *) got, got_len,
               (int) want_len, (const char *) want, want_len);
        fflush(stdout);
    }

    return passed;
}


static int __attribute__((unused))
tap_is_int(long long got, long long want, const char *file, int line,
    const char *name)
{
    tap_ok(got == want, file, line, "%s", name);

    if (got != want) {
        printf("#        got: %lld\n#   expected: %lld\n", got, want);
        fflush(stdout);
    }

    return got == want;
}


static int __attribute__((unused))
tap_done(void)
{
    printf("1..%d\n", tap_n);

    return tap_failed ? 1 : 0;
}


/* ok(condition, "name %d", ...) */
#define ok(cond, ...)                                                         \
    tap_ok((cond) != 0, __FILE__, __LINE__, __VA_ARGS__)

#define is_int(got, want, name)                                               \
    tap_is_int(got, want, __FILE__, __LINE__, name)

/* bytes with a length against a C string */
#define is_text(data, len, want, name)                                        \
    tap_is(data, len, want, strlen(want), __FILE__, __LINE__, name)

#define is_str(s, want, name)                                                 \
    is_text((s)->data, (s)->len, want, name)

#define is_bytes(got, got_len, want, want_len, name)                          \
    tap_is(got, got_len, want, want_len, __FILE__, __LINE__, name)


#endif /* _KZ_TAP_H_INCLUDED_ */
