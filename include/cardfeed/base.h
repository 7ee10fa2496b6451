/*
 * base: the few types every room shares.
 *
 * Strings are pointer and length; they are never NUL-terminated unless a
 * contract says so.  Times are seconds since 1970-01-01T00:00:00Z, signed.
 *
 * Functions that can fail return one of the codes below, and where they take
 * a cardfeed_error_t they fill it with the same code, a line (0 when there is
 * none) and a message for an operator: UTF-8, one line, control characters
 * escaped, always NUL-terminated.  Expected outcomes have codes of their own;
 * everything unexpected is CARDFEED_ERROR plus the message.
 */

#ifndef CARDFEED_BASE_H
#define CARDFEED_BASE_H

/* A core file includes a cardfeed header first, so that this holds for all it
 * includes; nginx's build passes no macro of ours. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *data;
    size_t len;
} cardfeed_str_t;

#define CARDFEED_STR(literal)                                                \
    ((cardfeed_str_t){.data = "" literal, .len = sizeof(literal) - 1})
#define CARDFEED_NO_STR ((cardfeed_str_t){.data = "", .len = 0})

/* A time that is not there. */
#define CARDFEED_NO_TIME INT64_MIN

enum {
    CARDFEED_OK = 0,
    CARDFEED_ERROR = -1,    /* see the message */
    CARDFEED_NOMEM = -2,    /* memory, or a buffer's hard maximum */
    CARDFEED_NOTFOUND = -3, /* no such thing; the usual "no" */
    CARDFEED_BUSY = -4,     /* somebody else has it; try again later */
    CARDFEED_INVALID = -5,  /* the input is malformed: rejected */
    CARDFEED_FULL = -6,     /* no space, in the map or on the disk */
    CARDFEED_CORRUPT = -7,  /* the index cannot be trusted */
    CARDFEED_NOTCARD = -8   /* a file without front matter; only counted */
};

#define CARDFEED_MESSAGE 240 /* bytes, NUL included */

typedef struct {
    int code;
    unsigned line;
    char message[CARDFEED_MESSAGE];
} cardfeed_error_t;

/*
 * Fills *err (which may be NULL) and returns code.  The formatted message is
 * cut at a character's boundary; bytes below 0x20, 0x7f and what is not UTF-8
 * are written as \xHH.
 */
int cardfeed_error_set(cardfeed_error_t *err, int code, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static inline bool
cardfeed_str_empty(cardfeed_str_t s)
{
    return s.len == 0;
}

#endif /* CARDFEED_BASE_H */
