/* test_text_date: dates against the C library and the calendar's corners. */

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

#define FIRST INT64_C(-62135596800)
#define LAST INT64_C(253402300799)


static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;

    return *seed;
}


static void
assert_date(const char *text, int offset, int64_t want)
{
    int64_t sec;
    int rc;

    sec = CARDFEED_NO_TIME;
    rc = cardfeed_date_parse(cardfeed_str_of(text), offset, &sec);

    if (rc != CARDFEED_OK || sec != want) {
        fail_msg("\"%s\": rc %d, %lld, not %lld", text, rc, (long long) sec,
            (long long) want);
    }
}


static void
test_known_answers(void **state)
{
    (void) state;

    assert_date("1970-01-01", 0, 0);
    assert_date("2020-07-14T19:45:00Z", 0, 1594755900);
    assert_date("2020-07-14T19:45:00Z", 3600, 1594755900);
    assert_date("2020-07-14t19:45:00z", 0, 1594755900);
    assert_date("2020-07-14 19:45:00", 0, 1594755900);
    assert_date("2020-07-14 19:45", 0, 1594755900);
    assert_date("2020-07-14T19:45", 0, 1594755900);
    assert_date("2020-07-14 9:05:00", 0, 1594717500);
    assert_date("2020-07-14T9:05:00Z", 3600, 1594717500);
    assert_date("2020-07-14 9:05 +0200", 0, 1594717500 - 7200);
    assert_date("2020-07-14 0:00", 0, 1594684800);
    assert_date("  2020-07-14 19:45:00.123456 \r\n", 0, 1594755900);
    assert_date("2020-07-14 19:45:00", 7200, 1594755900 - 7200);
    assert_date("2020-07-14", -3600, 1594684800 + 3600);
    assert_date("2020-07-14T21:45:00+02:00", 0, 1594755900);
    assert_date("2020-07-14 21:45:00 +0200", 0, 1594755900);
    assert_date("2020-07-14 21:45 +02", -3600, 1594755900);
    assert_date("2020-07-14 14:15:00.9-05:30", 0, 1594755900);
    assert_date("2020-07-14 19:45:00 UTC", 3600, 1594755900);
    assert_date("2020-07-14\t19:45:00  gmt", 3600, 1594755900);
    assert_date("2016-12-31T23:59:60Z", 0, 1483228799);
    assert_date("2000-02-29", 0, 951782400);
    assert_date("2024-02-29T00:00:00-00:00", 0, 1709164800);
    assert_date("0001-01-01T00:00:00Z", 0, FIRST);
    assert_date("9999-12-31T23:59:59Z", 0, LAST);
    assert_date("1969-12-31T23:59:59Z", 0, -1);
}


static void
test_refused(void **state)
{
    static const char *const bad[] = {"", " ", "2020", "2020-13-45",
        "2020-00-10", "2020-10-00", "2020-04-31", "2021-02-29", "1900-02-29",
        "2100-02-29", "0000-01-01", "2020-1-2", "20200102", "2020/01/02",
        "2020-01-02T", "2020-01-02T10", "2020-01-02T10:", "2020-01-02T1",
        "2020-01-02T1:", "2020-01-02T1:0", "2020-01-02T:00",
        "2020-01-02T001:00", "2020-01-02T1:00:0", "2020-01-02T-1:00",
        "2020-01-02T24:00:00Z", "2020-01-02T10:60:00Z", "2020-01-02T10:00:61Z",
        "2020-01-02T10:00:00.Z", "2020-01-02T10:00:00,5Z",
        "2020-01-02T10:00:00+", "2020-01-02T10:00:00+1",
        "2020-01-02T10:00:00+24:00", "2020-01-02T10:00:00+10:60",
        "2020-01-02T10:00:00+10:", "2020-01-02T10:00:00+10:0",
        "2020-01-02T10:00:00+100", "2020-01-02T10:00:00 EST",
        "2020-01-02T10:00:00ZZ", "2020-01-02T10:00:00Z x", "2020-01-02x",
        "2020-01-02 ten", "2020-01-02 10:00:00 +02:00 x", "+2020-01-02",
        "-2020-01-02", "12020-01-02", "2020-01-02Z",
        "2020-01-02T10:00:00\342\210\22201:00",
        "Tue, 14 Jul 2020 19:45:00 GMT", "now"};
    int64_t sec;
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sec = 42;

        if (cardfeed_date_parse(cardfeed_str_of(bad[i]), 0, &sec)
            != CARDFEED_INVALID)
        {
            fail_msg("\"%s\" was taken", bad[i]);
        }

        assert_int_equal(sec, 42);
    }

    assert_int_equal(cardfeed_date_parse(
        (cardfeed_str_t){.data = "2020-01-02\0", .len = 11}, 0, &sec),
        CARDFEED_INVALID);
    assert_int_equal(cardfeed_date_parse(
        (cardfeed_str_t){.data = NULL, .len = 0}, 0, &sec), CARDFEED_INVALID);
}


/* No prefix of a date may be read beyond its end. */
static void
test_prefixes(void **state)
{
    static const char text[] = "2020-07-14T19:45:00.5+02:00";
    cardfeed_str_t s;
    char *copy;
    size_t len;
    int64_t sec;
    int rc;

    (void) state;

    for (len = 0; len < sizeof(text); len++) {
        copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy + 1, text, len);
        s = (cardfeed_str_t){.data = copy + 1, .len = len};
        rc = cardfeed_date_parse(s, 0, &sec);
        assert_int_equal(rc == CARDFEED_OK, len == 10 || len == 16 || len == 19
            || len == 21 || len == 24 || len == 27);
        free(copy);
    }
}


static void
test_zones(void **state)
{
    static const struct {
        const char *text;
        int offset;
    } good[] = {{"Z", 0}, {"z", 0}, {"UTC", 0}, {"utc", 0}, {"+00:00", 0},
        {"+02:00", 7200}, {"-0330", -12600}, {"+05:45", 20700},
        {"-12:00", -43200}, {"+14:00", 50400}, {"+09", 32400}};
    static const char *const bad[] = {"", "0", "2", "+", "-", "+2", "02:00",
        "+02:", "+02:0", "+2:00", "+02:60", "+24:00", "+02:00 ", " +02:00",
        "UTC+2", "Europe/Berlin", "+02:00:00", "++02"};
    size_t i;
    int offset;

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        offset = 1;
        assert_int_equal(cardfeed_date_zone(cardfeed_str_of(good[i].text),
            &offset), CARDFEED_OK);
        assert_int_equal(offset, good[i].offset);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        offset = 1;
        assert_int_equal(cardfeed_date_zone(cardfeed_str_of(bad[i]), &offset),
            CARDFEED_INVALID);
        assert_int_equal(offset, 1);
    }
}


static void
test_every_day_is_found_again(void **state)
{
    char text[CARDFEED_RFC3339_LEN + 1];
    int64_t sec, back;

    (void) state;

    for (sec = FIRST; sec <= LAST; sec += 86400) {
        cardfeed_date_rfc3339(text, sec);

        if (cardfeed_date_parse(cardfeed_str_of(text), 0, &back) != CARDFEED_OK
            || back != sec)
        {
            fail_msg("%s", text);
        }
    }
}


static void
test_against_the_c_library(void **state)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu",
        "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
        "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char want[64], got[64];
    uint64_t seed;
    struct tm tm;
    time_t sec;
    int64_t back;
    int i;

    (void) state;

    seed = 20200714;

    for (i = 0; i < 50000; i++) {
        sec = FIRST + (int64_t) (next_random(&seed)
            % (uint64_t) (LAST - FIRST + 1));
        assert_non_null(gmtime_r(&sec, &tm));

        (void) snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ",
            tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
            tm.tm_min, tm.tm_sec);
        cardfeed_date_rfc3339(got, sec);
        assert_string_equal(got, want);

        assert_int_equal(cardfeed_date_parse(cardfeed_str_of(got), 0, &back),
            CARDFEED_OK);
        assert_int_equal(back, sec);

        (void) snprintf(want, sizeof(want),
            "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
            tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
            tm.tm_min, tm.tm_sec);
        cardfeed_date_rfc822(got, sec);
        assert_string_equal(got, want);
    }
}


static void
test_formats_are_clamped(void **state)
{
    char text[CARDFEED_RFC822_LEN + 1];

    (void) state;

    cardfeed_date_rfc3339(text, CARDFEED_NO_TIME);
    assert_string_equal(text, "0001-01-01T00:00:00Z");
    cardfeed_date_rfc3339(text, FIRST - 1);
    assert_string_equal(text, "0001-01-01T00:00:00Z");
    cardfeed_date_rfc3339(text, INT64_MAX);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    cardfeed_date_rfc822(text, INT64_MIN);
    assert_string_equal(text, "Mon, 01 Jan 0001 00:00:00 GMT");
    cardfeed_date_rfc822(text, LAST + 1);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    cardfeed_date_rfc822(text, 1594755900);
    assert_string_equal(text, "Tue, 14 Jul 2020 19:45:00 GMT");
    assert_int_equal(strlen(text), CARDFEED_RFC822_LEN);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_every_day_is_found_again),
        cmocka_unit_test(test_against_the_c_library),
        cmocka_unit_test(test_formats_are_clamped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
