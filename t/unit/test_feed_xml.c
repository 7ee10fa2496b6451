/* test_feed_xml: what the XML formats share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cardfeed_feed_xml_private.h"


static void
test_numbers(void **state)
{
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {10, "10"},
        {UINT32_MAX, "4294967295"},
        {UINT64_MAX, "18446744073709551615"},
    };

    size_t i;
    char digits[CARDFEED_FEED_XML_DIGITS];
    cardfeed_str_t got;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        got = cardfeed_feed_xml_number(digits, cases[i].n);
        assert_int_equal(got.len, strlen(cases[i].text));
        assert_memory_equal(got.data, cases[i].text, got.len);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
