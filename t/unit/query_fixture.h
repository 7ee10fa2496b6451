/* What tests of query's algebra and filters share. */

#ifndef QUERY_FIXTURE_H
#define QUERY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/query.h>

#define MAX_LIMIT 500

#define assert_str(s, literal)                                               \
    do {                                                                     \
        cardfeed_str_t str_ = (s);                                           \
        const char *literal_ = (literal);                                    \
        if (str_.len != strlen(literal_)                                     \
            || (str_.len != 0                                                \
                && memcmp(str_.data, literal_, str_.len) != 0))              \
        {                                                                    \
            fail_msg("\"%.*s\" is not \"%s\"", (int) str_.len, str_.data,    \
                literal_);                                                   \
        }                                                                    \
    } while (0)

typedef struct {
    cardfeed_arena_t arena;
    cardfeed_query_t query;
    cardfeed_buf_t out;
} fixture_t;

static fixture_t fixture;


static inline int
setup(void **state)
{
    cardfeed_text_init();
    cardfeed_arena_init(&fixture.arena, 1 << 24);
    cardfeed_query_init(&fixture.query, &fixture.arena);
    cardfeed_buf_init(&fixture.out, CARDFEED_QUERY_PRINT_MAX);
    srand(1);
    *state = &fixture;

    return 0;
}


static inline int
teardown(void **state)
{
    fixture_t *f = *state;

    cardfeed_arena_free(&f->arena);
    cardfeed_buf_free(&f->out);

    return 0;
}


static inline int
selection(fixture_t *f, const char *text)
{
    return cardfeed_query_selection(&f->query, cardfeed_str_of(text));
}


static inline int
args(fixture_t *f, const char *text)
{
    return cardfeed_query_args(&f->query, cardfeed_str_of(text), MAX_LIMIT,
        NULL);
}


static inline cardfeed_str_t
shown(fixture_t *f)
{
    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_query_print_selection(&f->query, &f->out),
        CARDFEED_OK);

    return cardfeed_buf_view(&f->out);
}


static inline cardfeed_str_t
shown_args(fixture_t *f)
{
    cardfeed_buf_reset(&f->out);
    assert_int_equal(cardfeed_query_print_args(&f->query, 50, NULL, &f->out),
        CARDFEED_OK);

    return cardfeed_buf_view(&f->out);
}

#endif /* QUERY_FIXTURE_H */
