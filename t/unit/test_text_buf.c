/* test_text_buf: the buffer and the arena, above all at their limits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/text.h>


static void
assert_view(const cardfeed_buf_t *buf, const char *want)
{
    cardfeed_str_t s;

    s = cardfeed_buf_view(buf);
    assert_int_equal(s.len, strlen(want));
    assert_memory_equal(s.data, want, s.len);
}


static void
test_appends(void **state)
{
    cardfeed_buf_t buf;

    (void) state;

    cardfeed_buf_init(&buf, 1000);
    assert_view(&buf, "");
    assert_null(buf.data);

    assert_int_equal(cardfeed_buf_append(&buf, NULL, 0), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_str(&buf, CARDFEED_NO_STR), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_append(&buf, "abc", 2), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_str(&buf, CARDFEED_STR("cd")), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_cstr(&buf, "ef"), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_char(&buf, 'g'), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_printf(&buf, "%d-%s", 7, "x"), CARDFEED_OK);
    assert_view(&buf, "abcdefg7-x");

    cardfeed_buf_reset(&buf);
    assert_view(&buf, "");
    assert_non_null(buf.data);

    cardfeed_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(cardfeed_buf_cstr(&buf, "again"), CARDFEED_OK);
    assert_view(&buf, "again");
    cardfeed_buf_free(&buf);
}


static void
test_maximum_is_hard_and_sticky(void **state)
{
    cardfeed_buf_t buf;

    (void) state;

    cardfeed_buf_init(&buf, 5);
    assert_int_equal(cardfeed_buf_cstr(&buf, "abcd"), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_cstr(&buf, "ef"), CARDFEED_NOMEM);
    assert_int_equal(buf.failed, CARDFEED_NOMEM);
    assert_int_equal(cardfeed_buf_char(&buf, 'e'), CARDFEED_NOMEM);
    assert_int_equal(cardfeed_buf_append(&buf, "", 0), CARDFEED_NOMEM);
    assert_view(&buf, "abcd");

    cardfeed_buf_reset(&buf);
    assert_int_equal(cardfeed_buf_cstr(&buf, "vwxyz"), CARDFEED_OK);
    assert_view(&buf, "vwxyz");
    assert_true(buf.cap <= 5);
    assert_int_equal(cardfeed_buf_char(&buf, '!'), CARDFEED_NOMEM);
    cardfeed_buf_free(&buf);

    cardfeed_buf_init(&buf, 0);
    assert_int_equal(cardfeed_buf_cstr(&buf, ""), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_char(&buf, 'x'), CARDFEED_NOMEM);
    cardfeed_buf_free(&buf);

    cardfeed_buf_init(&buf, SIZE_MAX);
    assert_int_equal(cardfeed_buf_char(&buf, 'x'), CARDFEED_OK);
    assert_int_equal(cardfeed_buf_append(&buf, "y", SIZE_MAX),
        CARDFEED_NOMEM);
    assert_view(&buf, "x");
    cardfeed_buf_free(&buf);
}


static void
test_printf_fills_to_the_last_byte(void **state)
{
    cardfeed_buf_t buf;
    size_t len;

    (void) state;

    for (len = 250; len < 262; len++) {
        cardfeed_buf_init(&buf, len);
        assert_int_equal(cardfeed_buf_printf(&buf, "%0*d", (int) len, 7),
            CARDFEED_OK);
        assert_int_equal(buf.len, len);
        assert_int_equal(buf.data[0], '0');
        assert_int_equal(buf.data[len - 1], '7');
        cardfeed_buf_free(&buf);

        cardfeed_buf_init(&buf, len - 1);
        assert_int_equal(cardfeed_buf_printf(&buf, "%0*d", (int) len, 7),
            CARDFEED_NOMEM);
        assert_int_equal(buf.len, 0);
        cardfeed_buf_free(&buf);
    }
}


static void
test_growth_keeps_the_content(void **state)
{
    cardfeed_buf_t buf;
    size_t i;

    (void) state;

    cardfeed_buf_init(&buf, 100003);

    for (i = 0; i < 100003; i++) {
        assert_int_equal(cardfeed_buf_char(&buf, (char) (i % 251)),
            CARDFEED_OK);
    }

    assert_int_equal(cardfeed_buf_char(&buf, 0), CARDFEED_NOMEM);

    for (i = 0; i < 100003; i++) {
        assert_int_equal((unsigned char) buf.data[i], i % 251);
    }

    cardfeed_buf_free(&buf);
}


static void
test_arena_hands_out_zeroed_aligned_memory(void **state)
{
    cardfeed_arena_t arena;
    unsigned char *p;
    size_t i, size, round;

    (void) state;

    cardfeed_arena_init(&arena, (size_t) 8 << 20);

    for (round = 0; round < 3; round++) {

        for (size = 0; size < 3000; size++) {
            p = cardfeed_arena_alloc(&arena, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t) p % _Alignof(max_align_t), 0);

            for (i = 0; i < size; i++) {
                assert_int_equal(p[i], 0);
            }

            memset(p, 0xff, size);
        }

        assert_true(arena.used >= 2999 * 3000 / 2);
        cardfeed_arena_reset(&arena);
        assert_int_equal(arena.used, 0);
        assert_non_null(arena.chunks);
    }

    cardfeed_arena_free(&arena);
    assert_null(arena.chunks);
}


static void
test_arena_maximum(void **state)
{
    cardfeed_arena_t arena;
    cardfeed_str_t s;
    size_t n;

    (void) state;

    cardfeed_arena_init(&arena, 1000);
    assert_non_null(cardfeed_arena_alloc(&arena, 1000));
    assert_null(cardfeed_arena_alloc(&arena, 0));
    assert_int_equal(arena.failed, CARDFEED_NOMEM);

    cardfeed_arena_reset(&arena);
    assert_int_equal(arena.failed, CARDFEED_OK);
    assert_null(cardfeed_arena_alloc(&arena, 1001));
    assert_null(cardfeed_arena_alloc(&arena, 1));

    cardfeed_arena_reset(&arena);
    assert_null(cardfeed_arena_alloc(&arena, SIZE_MAX));

    cardfeed_arena_reset(&arena);

    for (n = 0; cardfeed_arena_alloc(&arena, 0) != NULL; n++) {
        assert_true(n < 1000);
    }

    cardfeed_arena_free(&arena);

    cardfeed_arena_init(&arena, SIZE_MAX);
    assert_null(cardfeed_arena_alloc(&arena, SIZE_MAX));
    cardfeed_arena_reset(&arena);
    s = cardfeed_arena_dup(&arena,
        (cardfeed_str_t){.data = "x", .len = SIZE_MAX});
    assert_null(s.data);
    cardfeed_arena_free(&arena);
}


static void
test_arena_dup(void **state)
{
    cardfeed_arena_t arena;
    cardfeed_str_t a, b, big;
    char source[9000];

    (void) state;

    cardfeed_arena_init(&arena, 20000);

    a = cardfeed_arena_dup(&arena, CARDFEED_STR("hello"));
    b = cardfeed_arena_dup(&arena, CARDFEED_NO_STR);
    memset(source, 'q', sizeof(source));
    big = cardfeed_arena_dup(&arena,
        (cardfeed_str_t){.data = source, .len = sizeof(source)});

    assert_string_equal(a.data, "hello");
    assert_int_equal(a.len, 5);
    assert_string_equal(b.data, "");
    assert_int_equal(b.len, 0);
    assert_int_equal(big.len, sizeof(source));
    assert_memory_equal(big.data, source, sizeof(source));
    assert_int_equal(big.data[big.len], 0);

    b = cardfeed_arena_dup(&arena,
        (cardfeed_str_t){.data = NULL, .len = 0});
    assert_non_null(b.data);

    big = cardfeed_arena_dup(&arena,
        (cardfeed_str_t){.data = source, .len = sizeof(source)});
    assert_non_null(big.data);
    big = cardfeed_arena_dup(&arena,
        (cardfeed_str_t){.data = source, .len = sizeof(source)});
    assert_null(big.data);
    assert_int_equal(arena.failed, CARDFEED_NOMEM);
    assert_string_equal(a.data, "hello");

    cardfeed_arena_free(&arena);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_maximum_is_hard_and_sticky),
        cmocka_unit_test(test_printf_fills_to_the_last_byte),
        cmocka_unit_test(test_growth_keeps_the_content),
        cmocka_unit_test(test_arena_hands_out_zeroed_aligned_memory),
        cmocka_unit_test(test_arena_maximum),
        cmocka_unit_test(test_arena_dup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
