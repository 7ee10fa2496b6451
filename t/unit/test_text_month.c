/* test_text_month: months by number, text and time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <cardfeed/text.h>

#define FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

#define FIRST_MONTH 12 /* 0001-01 */
#define LAST_MONTH (9999 * 12 + 11)


static void
test_known_answers(void **state)
{
    static const struct {
        const char *text;
        uint32_t month;
        int64_t start;
    } cases[] = {
        {"0001-01", FIRST_MONTH, FIRST},
        {"1969-12", 1969 * 12 + 11, -31 * 86400},
        {"1970-01", 1970 * 12, 0},
        {"2000-02", 2000 * 12 + 1, 949363200},
        {"2024-03", 2024 * 12 + 2, 1709251200},
        {"9999-12", LAST_MONTH, INT64_C(253399622400)},
    };

    size_t i;
    uint32_t month;
    char text[CARDFEED_MONTH_LEN + 1];

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        month = 0;
        assert_int_equal(cardfeed_date_month_parse(
                             cardfeed_str_of(cases[i].text), &month),
            CARDFEED_OK);
        assert_int_equal(month, cases[i].month);
        assert_true(cardfeed_date_month_start(month) == cases[i].start);
        cardfeed_date_month_print(text, month);
        assert_string_equal(text, cases[i].text);
    }
}


static void
test_refused(void **state)
{
    static const char *const bad[] = {"", "2024", "2024-", "2024-1",
        "2024-00", "2024-13", "2024-99", "24-01", "0000-01", "0000-12",
        "2024-011", "02024-01", "10000-01", "2024-01-01", "2024-01Z",
        "2024/01", "2024 01", "202401", "2024--1", "2024-+1", "2024- 1",
        "-024-01", "+024-01", " 024-01", "2024-1 ", " 2024-01", "2024-01 ",
        "2024-01\n", "2O24-01", "2024-0x", "0x10-01", "2024-Jan",
        "2024:01", "2024.01", "20240-1", "2024-0:", "2024-0/", ":024-01",
        "/024-01",
        "2024\xe2\x80\x90" "01",                 /* U+2010 */
        "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa4-01",   /* Arabic-Indic digits */
        "2024-\xef\xbc\x90\xef\xbc\x91",         /* fullwidth ones */
        "2024\xad" "01", "\xb2" "024-01"};

    size_t i;
    uint32_t month;

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        month = 4711;

        if (cardfeed_date_month_parse(cardfeed_str_of(bad[i]), &month)
            != CARDFEED_INVALID)
        {
            fail_msg("\"%s\" was taken", bad[i]);
        }

        assert_int_equal(month, 4711);
    }

    assert_int_equal(cardfeed_date_month_parse(CARDFEED_STR("2024-0\0"),
                         &month),
        CARDFEED_INVALID);
    assert_int_equal(cardfeed_date_month_parse(
                         (cardfeed_str_t){.data = NULL, .len = 0}, &month),
        CARDFEED_INVALID);
}


/* No prefix of a month may be read beyond its end. */
static void
test_prefixes(void **state)
{
    static const char text[] = "2024-03";

    char *copy;
    size_t len;
    uint32_t month;
    cardfeed_str_t s;

    (void) state;

    for (len = 0; len < sizeof(text); len++) {
        copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy + 1, text, len);
        s = (cardfeed_str_t){.data = copy + 1, .len = len};
        assert_int_equal(cardfeed_date_month_parse(s, &month),
            len == CARDFEED_MONTH_LEN ? CARDFEED_OK : CARDFEED_INVALID);
        free(copy);
    }
}


/* All of them there are: one after the other, without a gap. */
static void
test_every_month(void **state)
{
    struct tm tm;
    int64_t start, end;
    uint32_t month, back;
    char text[CARDFEED_MONTH_LEN + 1], want[16];

    (void) state;

    assert_true(cardfeed_date_month_start(FIRST_MONTH) == FIRST);
    assert_true(cardfeed_date_month_start(LAST_MONTH + 1) == LAST + 1);

    for (month = FIRST_MONTH; month <= LAST_MONTH; month++) {
        (void) snprintf(want, sizeof(want), "%04u-%02u", month / 12,
            month % 12 + 1);
        cardfeed_date_month_print(text, month);
        assert_string_equal(text, want);

        back = 0;
        assert_int_equal(cardfeed_date_month_parse(cardfeed_str_of(text),
                             &back),
            CARDFEED_OK);
        assert_int_equal(back, month);

        tm = (struct tm){.tm_year = (int) (month / 12) - 1900,
            .tm_mon = (int) (month % 12), .tm_mday = 1};
        start = cardfeed_date_month_start(month);
        end = cardfeed_date_month_start(month + 1) - 1;

        assert_true(start == timegm(&tm));
        assert_int_equal(cardfeed_date_month(start), month);
        assert_int_equal(cardfeed_date_month(end), month);
        assert_int_equal(cardfeed_date_month(start + (end - start) / 2),
            month);

        if (month > FIRST_MONTH) {
            assert_int_equal(cardfeed_date_month(start - 1), month - 1);
        }
    }
}


static void
test_times_are_clamped(void **state)
{
    (void) state;

    assert_int_equal(cardfeed_date_month(CARDFEED_NO_TIME), FIRST_MONTH);
    assert_int_equal(cardfeed_date_month(INT64_MIN), FIRST_MONTH);
    assert_int_equal(cardfeed_date_month(FIRST - 1), FIRST_MONTH);
    assert_int_equal(cardfeed_date_month(FIRST), FIRST_MONTH);
    assert_int_equal(cardfeed_date_month(LAST), LAST_MONTH);
    assert_int_equal(cardfeed_date_month(LAST + 1), LAST_MONTH);
    assert_int_equal(cardfeed_date_month(INT64_MAX), LAST_MONTH);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_every_month),
        cmocka_unit_test(test_times_are_clamped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
