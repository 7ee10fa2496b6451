/* card_values: raw values of the walk → texts, URLs and numbers. */

#include "cardfeed_card_private.h"


cardfeed_str_t
cardfeed_card_at(const cardfeed_parser_t *p, cardfeed_card_ref_t ref)
{
    if (ref.len == 0) {
        return CARDFEED_NO_STR;
    }

    return (cardfeed_str_t){.data = p->raw.data + ref.off, .len = ref.len};
}


cardfeed_str_t
cardfeed_card_raw(const cardfeed_parser_t *p,
    const cardfeed_card_value_t *value)
{
    return value->kind == CARDFEED_VALUE_TEXT ? cardfeed_card_at(p, value->ref)
                                              : CARDFEED_NO_STR;
}


cardfeed_str_t
cardfeed_card_keep(cardfeed_parser_t *p, cardfeed_str_t s)
{
    if (s.len == 0) {
        return CARDFEED_NO_STR;
    }

    s = cardfeed_arena_dup(&p->arena, s);

    return s.data != NULL ? s : CARDFEED_NO_STR;
}


cardfeed_str_t
cardfeed_card_plain(cardfeed_parser_t *p, cardfeed_str_t s, size_t max,
    unsigned flags)
{
    if (s.len == 0) {
        return CARDFEED_NO_STR;
    }

    cardfeed_buf_reset(&p->scratch);

    if (cardfeed_text_plain(&p->scratch, s, flags) != CARDFEED_OK) {
        p->failed = CARDFEED_NOMEM;
        return CARDFEED_NO_STR;
    }

    s = cardfeed_text_cut(cardfeed_buf_view(&p->scratch), max);

    return cardfeed_card_keep(p, cardfeed_str_trim(s));
}


cardfeed_str_t
cardfeed_card_text(cardfeed_parser_t *p, const cardfeed_card_value_t *value,
    size_t max)
{
    return cardfeed_card_plain(p, cardfeed_card_raw(p, value), max,
        CARDFEED_PLAIN_ENTITIES);
}


cardfeed_str_t
cardfeed_card_first(cardfeed_parser_t *p, unsigned from, unsigned to,
    size_t max)
{
    cardfeed_str_t s;
    unsigned key;

    s = CARDFEED_NO_STR;

    for (key = from; key <= to && s.len == 0; key++) {
        s = cardfeed_card_text(p, &p->values[key], max);
    }

    return s;
}


bool
cardfeed_card_usable(cardfeed_parser_t *p, cardfeed_str_t url)
{
    int rc;

    cardfeed_buf_reset(&p->scratch);
    url = cardfeed_str_trim(url);

    if (url.len == 0 || url.len > CARDFEED_CARD_TEXT) {
        return false;
    }

    rc = p->base.len != 0
        ? cardfeed_url_below(&p->scratch, url, cardfeed_buf_view(&p->base))
        : cardfeed_url_clean(&p->scratch, url);

    if (rc == CARDFEED_NOMEM) {
        p->failed = CARDFEED_NOMEM;
    }

    return rc == CARDFEED_OK && p->scratch.len <= CARDFEED_CARD_TEXT;
}


cardfeed_str_t
cardfeed_card_url(cardfeed_parser_t *p, cardfeed_str_t url)
{
    return cardfeed_card_usable(p, url)
        ? cardfeed_card_keep(p, cardfeed_buf_view(&p->scratch))
        : CARDFEED_NO_STR;
}


uint64_t
cardfeed_card_count(cardfeed_str_t s, uint64_t max)
{
    uint64_t n, digit;
    size_t i;

    s = cardfeed_str_trim(s);
    n = 0;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return 0;
        }

        digit = (uint64_t) (s.data[i] - '0');

        if (n > (max - digit) / 10) {
            return 0;
        }

        n = n * 10 + digit;
    }

    return n;
}


int32_t
cardfeed_card_int(cardfeed_str_t s)
{
    cardfeed_str_t whole;
    bool negative;
    uint64_t n;
    size_t i;

    s = cardfeed_str_trim(s);
    negative = s.len != 0 && s.data[0] == '-';

    if (negative || (s.len != 0 && s.data[0] == '+')) {
        s.data++;
        s.len--;
    }

    whole = s;

    for (i = 0; i < s.len && s.data[i] != '.'; i++) { /* void */ }

    whole.len = i;

    for (i++; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return 0;
        }
    }

    n = cardfeed_card_count(whole, INT32_MAX);

    return negative ? -(int32_t) n : (int32_t) n;
}


cardfeed_str_t
cardfeed_card_file_name(cardfeed_str_t path)
{
    size_t i;

    for (i = path.len; i > 0 && path.data[i - 1] != '/'; i--) { /* void */ }

    return (cardfeed_str_t){.data = path.data + i, .len = path.len - i};
}


cardfeed_str_t
cardfeed_card_extension(cardfeed_str_t path)
{
    cardfeed_str_t name;
    size_t i;

    name = cardfeed_card_file_name(path);

    for (i = name.len; i > 1; i--) {
        if (name.data[i - 1] == '.') {
            return (cardfeed_str_t){.data = name.data + i - 1,
                .len = name.len - i + 1};
        }
    }

    return CARDFEED_NO_STR;
}


cardfeed_str_t
cardfeed_card_stem(cardfeed_str_t path)
{
    path.len -= cardfeed_card_extension(path).len;

    return path;
}
