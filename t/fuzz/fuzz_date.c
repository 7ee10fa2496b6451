/* fuzz_date: a date that is read is the one that is written.  The first byte
 * is a zone, in quarters of an hour. */

#include "fuzz.h"

#include <cardfeed/base.h>


static void
whole(cardfeed_str_t text, int offset)
{
    char rfc3339[CARDFEED_RFC3339_LEN + 1], rfc822[CARDFEED_RFC822_LEN + 1];
    int64_t sec, again;

    if (cardfeed_date_parse(text, offset, &sec) != CARDFEED_OK) {
        return;
    }

    cardfeed_date_rfc3339(rfc3339, sec);
    cardfeed_date_rfc822(rfc822, sec);
    PROMISE(strlen(rfc3339) == CARDFEED_RFC3339_LEN);
    PROMISE(strlen(rfc822) == CARDFEED_RFC822_LEN);
    PROMISE(cardfeed_date_parse(cardfeed_str_of(rfc3339), 3600, &again)
            == CARDFEED_OK);

    /* A zone may carry it out of the years that are written. */
    if (sec >= cardfeed_date_month_start(cardfeed_date_month(sec))) {
        PROMISE(again == sec || cardfeed_date_month(sec) == 12
                || cardfeed_date_month(sec) == 9999 * 12 + 11);
    }
}


static void
month(cardfeed_str_t text)
{
    uint32_t number;
    char out[CARDFEED_MONTH_LEN + 1];

    if (cardfeed_date_month_parse(text, &number) != CARDFEED_OK) {
        return;
    }

    cardfeed_date_month_print(out, number);
    PROMISE(cardfeed_str_eq(cardfeed_str_of(out), text));
    PROMISE(cardfeed_date_month(cardfeed_date_month_start(number)) == number);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int zone, offset;
    cardfeed_str_t text = fuzz_input(data, size);

    cardfeed_text_init();

    offset = ((int) fuzz_choice(&text, 97) - 48) * 900;
    whole(text, offset);
    month(text);

    if (cardfeed_date_zone(text, &zone) == CARDFEED_OK) {
        PROMISE(zone > -86400 && zone < 86400);
    }

    return 0;
}
