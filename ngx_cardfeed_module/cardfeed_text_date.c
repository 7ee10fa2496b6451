/* text_date: dates between text and seconds, free of locale and time zone. */

#include "cardfeed_text_private.h"

#include <string.h>

#define DAY 86400
#define DAYS_400 146097 /* in 400 years */
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */
#define FIRST_SECOND INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_SECOND INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

typedef struct {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int weekday; /* 0: Sunday */
} civil_t;


static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}


/* Takes exactly count digits from the front of *s. */
static bool
take_digits(cardfeed_str_t *s, size_t count, int *value)
{
    size_t i;

    if (s->len < count) {
        return false;
    }

    *value = 0;

    for (i = 0; i < count; i++) {
        if (!cardfeed_text_is_digit(s->data[i])) {
            return false;
        }

        *value = *value * 10 + (s->data[i] - '0');
    }

    *s = cardfeed_str_from(*s, count);

    return true;
}


static bool
take_char(cardfeed_str_t *s, char c)
{
    if (s->len == 0 || s->data[0] != c) {
        return false;
    }

    *s = cardfeed_str_from(*s, 1);

    return true;
}


static void
skip_blanks(cardfeed_str_t *s)
{
    while (s->len != 0 && is_blank(s->data[0])) {
        *s = cardfeed_str_from(*s, 1);
    }
}


static int
days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
        31};

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    {
        return 29;
    }

    return days[month - 1];
}


/* Years begin in March here, so that a leap day is the last of its year. */
static int64_t
days_from_civil(int year, int month, int day)
{
    int era, of_era, of_year;

    year -= month <= 2;
    era = year / 400;
    of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year -= era * 400;
    of_era = year * 365 + year / 4 - year / 100 + of_year;

    return (int64_t) era * DAYS_400 + of_era - EPOCH_DAYS;
}


static void
civil_from_seconds(civil_t *c, int64_t sec)
{
    int days, rest, era, of_era, of_year, month;

    if (sec < FIRST_SECOND) {
        sec = FIRST_SECOND;
    }

    if (sec > LAST_SECOND) {
        sec = LAST_SECOND;
    }

    sec -= FIRST_SECOND;
    rest = (int) (sec % DAY);
    days = (int) (sec / DAY); /* since 0001-01-01, a Monday */

    c->weekday = (days + 1) % 7;
    c->hour = rest / 3600;
    c->minute = rest / 60 % 60;
    c->second = rest % 60;

    days += (int) (FIRST_SECOND / DAY) + EPOCH_DAYS;
    era = days / DAYS_400;
    of_era = days % DAYS_400;
    c->year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096)
        / 365;
    of_year = of_era - (365 * c->year + c->year / 4 - c->year / 100);
    month = (5 * of_year + 2) / 153;
    c->day = of_year - (153 * month + 2) / 5 + 1;
    c->month = month < 10 ? month + 3 : month - 9;
    c->year += era * 400 + (c->month <= 2);
}


static bool
take_date(cardfeed_str_t *s, civil_t *c)
{
    return take_digits(s, 4, &c->year) && take_char(s, '-')
        && take_digits(s, 2, &c->month) && take_char(s, '-')
        && take_digits(s, 2, &c->day) && c->year >= 1 && c->month >= 1
        && c->month <= 12 && c->day >= 1
        && c->day <= days_in_month(c->year, c->month);
}


static bool
take_time(cardfeed_str_t *s, civil_t *c)
{
    int digit;

    /* YAML's timestamps may have an hour of one digit. */
    if ((!take_digits(s, 2, &c->hour) && !take_digits(s, 1, &c->hour))
        || !take_char(s, ':') || !take_digits(s, 2, &c->minute)
        || c->hour > 23 || c->minute > 59)
    {
        return false;
    }

    if (!take_char(s, ':')) {
        return true;
    }

    if (!take_digits(s, 2, &c->second) || c->second > 60) {
        return false;
    }

    if (c->second == 60) {
        c->second = 59;
    }

    if (!take_char(s, '.')) {
        return true;
    }

    if (!take_digits(s, 1, &digit)) {
        return false;
    }

    while (take_digits(s, 1, &digit)) { /* void */ }

    return true;
}


/* All of s is a zone. */
static bool
parse_zone(cardfeed_str_t s, int *offset)
{
    int hours, minutes;
    bool west;

    if (cardfeed_str_caseeq(s, CARDFEED_STR("Z"))
        || cardfeed_str_caseeq(s, CARDFEED_STR("UTC"))
        || cardfeed_str_caseeq(s, CARDFEED_STR("GMT")))
    {
        *offset = 0;
        return true;
    }

    west = take_char(&s, '-');
    minutes = 0;

    if ((!west && !take_char(&s, '+')) || !take_digits(&s, 2, &hours)) {
        return false;
    }

    if (s.len != 0) {
        (void) take_char(&s, ':');

        if (!take_digits(&s, 2, &minutes)) {
            return false;
        }
    }

    if (s.len != 0 || hours > 23 || minutes > 59) {
        return false;
    }

    *offset = (hours * 60 + minutes) * (west ? -60 : 60);

    return true;
}


int
cardfeed_date_parse(cardfeed_str_t s, int offset, int64_t *sec)
{
    civil_t c;

    s = cardfeed_str_trim(s);
    c = (civil_t){0};

    if (!take_date(&s, &c)) {
        return CARDFEED_INVALID;
    }

    if (s.len != 0) {

        if (is_blank(s.data[0])) {
            skip_blanks(&s);

        } else if (!take_char(&s, 'T') && !take_char(&s, 't')) {
            return CARDFEED_INVALID;
        }

        if (!take_time(&s, &c)) {
            return CARDFEED_INVALID;
        }

        skip_blanks(&s);

        if (s.len != 0 && !parse_zone(s, &offset)) {
            return CARDFEED_INVALID;
        }
    }

    *sec = days_from_civil(c.year, c.month, c.day) * DAY + c.hour * 3600
        + c.minute * 60 + c.second - offset;

    return CARDFEED_OK;
}


int
cardfeed_date_zone(cardfeed_str_t s, int *offset)
{
    return parse_zone(s, offset) ? CARDFEED_OK : CARDFEED_INVALID;
}


static char *
put_number(char *p, int value, int digits)
{
    int i;

    for (i = digits - 1; i >= 0; i--) {
        p[i] = (char) ('0' + value % 10);
        value /= 10;
    }

    return p + digits;
}


static char *
put_clock(char *p, const civil_t *c)
{
    p = put_number(p, c->hour, 2);
    *p++ = ':';
    p = put_number(p, c->minute, 2);
    *p++ = ':';

    return put_number(p, c->second, 2);
}


void
cardfeed_date_rfc3339(char out[CARDFEED_RFC3339_LEN + 1], int64_t sec)
{
    civil_t c;
    char *p;

    civil_from_seconds(&c, sec);

    p = put_number(out, c.year, 4);
    *p++ = '-';
    p = put_number(p, c.month, 2);
    *p++ = '-';
    p = put_number(p, c.day, 2);
    *p++ = 'T';
    p = put_clock(p, &c);
    *p++ = 'Z';
    *p = '\0';
}


void
cardfeed_date_rfc822(char out[CARDFEED_RFC822_LEN + 1], int64_t sec)
{
    static const char weekdays[] = "Sun, Mon, Tue, Wed, Thu, Fri, Sat, ";
    static const char months[] = " Jan Feb Mar Apr May Jun Jul Aug Sep Oct "
                                 "Nov Dec ";
    civil_t c;
    char *p;

    civil_from_seconds(&c, sec);

    memcpy(out, weekdays + 5 * c.weekday, 5);
    p = put_number(out + 5, c.day, 2);
    memcpy(p, months + 4 * (c.month - 1), 5);
    p = put_number(p + 5, c.year, 4);
    *p++ = ' ';
    p = put_clock(p, &c);
    memcpy(p, " GMT", sizeof(" GMT"));
}


/* YYYY-MM, digits only. */
int
cardfeed_date_month_parse(cardfeed_str_t s, uint32_t *month)
{
    size_t i;
    uint32_t year, of_year;

    if (s.len != CARDFEED_MONTH_LEN || s.data[4] != '-') {
        return CARDFEED_INVALID;
    }

    year = of_year = 0;

    for (i = 0; i < s.len; i++) {
        if (i == 4) {
            continue;
        }

        if (s.data[i] < '0' || s.data[i] > '9') {
            return CARDFEED_INVALID;
        }

        if (i < 4) {
            year = year * 10 + (uint32_t) (s.data[i] - '0');
        } else {
            of_year = of_year * 10 + (uint32_t) (s.data[i] - '0');
        }
    }

    if (year == 0 || of_year == 0 || of_year > 12) {
        return CARDFEED_INVALID;
    }

    *month = year * 12 + of_year - 1;

    return CARDFEED_OK;
}


void
cardfeed_date_month_print(char out[CARDFEED_MONTH_LEN + 1], uint32_t month)
{
    char *p;

    p = put_number(out, (int) (month / 12), 4);
    *p++ = '-';
    p = put_number(p, (int) (month % 12 + 1), 2);
    *p = '\0';
}


uint32_t
cardfeed_date_month(int64_t sec)
{
    civil_t c;

    civil_from_seconds(&c, sec);

    return (uint32_t) (c.year * 12 + c.month - 1);
}


int64_t
cardfeed_date_month_start(uint32_t month)
{
    return days_from_civil((int) (month / 12), (int) (month % 12 + 1), 1)
        * DAY;
}
