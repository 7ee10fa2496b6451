/* test_encoding_memory: no memory for the encoded body, none for brotli. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cardfeed/encoding.h>

#define TOO_MUCH ((size_t) 2 << 20)

static char plain[TOO_MUCH];

const char *__asan_default_options(void);


/* The sanitizer's allocator lets the large ones fail: the copy of a large
 * body, and the tables of brotli for a small one. */
const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=1";
}


static void
assert_nomem(cardfeed_encoding_t encoding, size_t len)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, len);
    assert_int_equal(cardfeed_encode(encoding,
            (cardfeed_str_t){.data = plain, .len = len}, &out),
        CARDFEED_NOMEM);
    assert_int_equal(out.len, 0);
    cardfeed_buf_free(&out);
}


static void
test_no_memory(void **state)
{
    (void) state;

    assert_nomem(CARDFEED_ENCODING_GZIP, TOO_MUCH);
    assert_nomem(CARDFEED_ENCODING_BR, TOO_MUCH);
    assert_nomem(CARDFEED_ENCODING_BR, 100000);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
