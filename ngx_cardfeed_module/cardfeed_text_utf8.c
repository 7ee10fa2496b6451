/* text_utf8: reading and writing characters, and the simple strings. */

#include "cardfeed_text_private.h"

#include <string.h>


bool
cardfeed_str_eq(cardfeed_str_t a, cardfeed_str_t b)
{
    return a.len == b.len
        && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


bool
cardfeed_str_caseeq(cardfeed_str_t a, cardfeed_str_t b)
{
    size_t i;

    if (a.len != b.len) {
        return false;
    }

    for (i = 0; i < a.len; i++) {
        if (cardfeed_text_lower(a.data[i]) != cardfeed_text_lower(b.data[i]))
        {
            return false;
        }
    }

    return true;
}


int
cardfeed_str_cmp(cardfeed_str_t a, cardfeed_str_t b)
{
    size_t len;
    int rc;

    len = a.len < b.len ? a.len : b.len;
    rc = len != 0 ? memcmp(a.data, b.data, len) : 0;

    if (rc != 0) {
        return rc;
    }

    return (a.len > b.len) - (a.len < b.len);
}


static bool
is_ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}


bool
cardfeed_str_cut(cardfeed_str_t *s, char at, cardfeed_str_t *rest)
{
    const char *p;

    p = s->len ? memchr(s->data, at, s->len) : NULL;

    if (p == NULL) {
        *rest = CARDFEED_NO_STR;
        return false;
    }

    rest->data = p + 1;
    rest->len = s->len - (size_t) (p + 1 - s->data);
    s->len = (size_t) (p - s->data);

    return true;
}


cardfeed_str_t
cardfeed_str_trim(cardfeed_str_t s)
{
    while (s.len != 0 && is_ascii_space(s.data[s.len - 1])) {
        s.len--;
    }

    while (s.len != 0 && is_ascii_space(s.data[0])) {
        s.data++;
        s.len--;
    }

    return s;
}


cardfeed_str_t
cardfeed_str_of(const char *s)
{
    if (s == NULL) {
        return CARDFEED_NO_STR;
    }

    return (cardfeed_str_t){.data = s, .len = strlen(s)};
}


int
cardfeed_text_hex(char c)
{
    if (cardfeed_text_is_digit(c)) {
        return c - '0';
    }

    c = cardfeed_text_lower(c);

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


size_t
cardfeed_utf8_next(cardfeed_str_t s, size_t at, uint32_t *cp)
{
    const unsigned char *p;
    unsigned low, high;
    uint32_t value;
    size_t i, need, left;

    p = (const unsigned char *) s.data + at;
    left = s.len - at;

    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }

    *cp = CARDFEED_UTF8_BAD;

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 1;
    }

    /* The second byte's range keeps out overlong forms, surrogates and what
     * lies beyond U+10FFFF. */
    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    need = p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    value = p[0] & (0x3fu >> need);

    for (i = 1; i <= need; i++) {
        if (i == left || p[i] < low || p[i] > high) {
            return i;
        }

        value = value << 6 | (p[i] & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }

    *cp = value;

    return need + 1;
}


size_t
cardfeed_utf8_check(cardfeed_str_t s)
{
    uint64_t word;
    uint32_t cp;
    size_t at, n;

    at = 0;

    while (at < s.len) {

        if (s.len - at >= sizeof(word)) {
            memcpy(&word, s.data + at, sizeof(word));

            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof(word);
                continue;
            }
        }

        n = cardfeed_utf8_next(s, at, &cp);
        if (cp == CARDFEED_UTF8_BAD) {
            return at;
        }

        at += n;
    }

    return s.len;
}


size_t
cardfeed_utf8_put(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char) cp;
        return 1;
    }

    if (cp < 0x800) {
        out[0] = (char) (0xc0 | cp >> 6);
        out[1] = (char) (0x80 | (cp & 0x3f));
        return 2;
    }

    if (cp < 0x10000) {
        out[0] = (char) (0xe0 | cp >> 12);
        out[1] = (char) (0x80 | (cp >> 6 & 0x3f));
        out[2] = (char) (0x80 | (cp & 0x3f));
        return 3;
    }

    out[0] = (char) (0xf0 | cp >> 18);
    out[1] = (char) (0x80 | (cp >> 12 & 0x3f));
    out[2] = (char) (0x80 | (cp >> 6 & 0x3f));
    out[3] = (char) (0x80 | (cp & 0x3f));

    return 4;
}


int
cardfeed_utf8_append(cardfeed_buf_t *buf, uint32_t cp)
{
    char bytes[4];

    return cardfeed_buf_append(buf, bytes, cardfeed_utf8_put(bytes, cp));
}


bool
cardfeed_utf8_is_space(uint32_t cp)
{
    if (cp < 0x80) {
        return cp == ' ' || (cp >= '\t' && cp <= '\r');
    }

    return cp == 0x85 || cp == 0xa0 || cp == 0x1680
        || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029
        || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}


bool
cardfeed_utf8_is_noncharacter(uint32_t cp)
{
    return (cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef);
}


cardfeed_str_t
cardfeed_text_cut(cardfeed_str_t s, size_t max)
{
    size_t at, back;

    if (s.len <= max) {
        return s;
    }

    for (back = 0; back < 4 && back <= max; back++) {
        at = max - back;

        if (((unsigned char) s.data[at] & 0xc0) != 0x80) {
            s.len = at;
            return s;
        }
    }

    s.len = max;

    return s;
}
