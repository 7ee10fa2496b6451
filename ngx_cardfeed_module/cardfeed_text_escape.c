/* text_escape: what bytes of a URL may be, percent-encoding, IRIs. */

#include "cardfeed_text_private.h"


#define URL_NAME (CARDFEED_URL_HOST | CARDFEED_URL_PATH | CARDFEED_URL_QUERY)
#define URL_PLAIN (CARDFEED_URL_UNRESERVED | URL_NAME)
#define URL_PCHAR (CARDFEED_URL_PATH | CARDFEED_URL_QUERY)

/* Beside letters and digits, which are unreserved and may be in a scheme. */
static const unsigned char url_classes[256] = {
    ['-'] = URL_PLAIN | CARDFEED_URL_SCHEME,
    ['.'] = URL_PLAIN | CARDFEED_URL_SCHEME,
    ['_'] = URL_PLAIN,
    ['~'] = URL_PLAIN,
    ['!'] = URL_NAME,
    ['$'] = URL_NAME,
    ['&'] = URL_NAME,
    ['\''] = URL_NAME,
    ['('] = URL_NAME,
    [')'] = URL_NAME,
    ['*'] = URL_NAME,
    ['+'] = URL_NAME | CARDFEED_URL_SCHEME,
    [','] = URL_NAME,
    [';'] = URL_NAME,
    ['='] = URL_NAME,
    [':'] = URL_PCHAR,
    ['@'] = URL_PCHAR,
    ['/'] = URL_PCHAR,
    ['?'] = CARDFEED_URL_QUERY,
};


bool
cardfeed_url_is(char c, unsigned allowed)
{
    return cardfeed_text_is_alpha(c) || cardfeed_text_is_digit(c)
        || (url_classes[(unsigned char) c] & allowed) != 0;
}


size_t
cardfeed_url_scheme(cardfeed_str_t s)
{
    size_t i;

    if (s.len == 0 || !cardfeed_text_is_alpha(s.data[0])) {
        return 0;
    }

    for (i = 1; i < s.len; i++) {
        if (!cardfeed_url_is(s.data[i], CARDFEED_URL_SCHEME)) {
            break;
        }
    }

    return i < s.len && s.data[i] == ':' ? i : 0;
}


bool
cardfeed_url_is_escape(cardfeed_str_t s, size_t at)
{
    return s.len - at >= 3 && s.data[at] == '%'
        && cardfeed_text_hex(s.data[at + 1]) >= 0
        && cardfeed_text_hex(s.data[at + 2]) >= 0;
}


void
cardfeed_url_put_escaped(cardfeed_buf_t *out, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    char escape[3];

    escape[0] = '%';
    escape[1] = digits[(unsigned char) c >> 4];
    escape[2] = digits[(unsigned char) c & 15];

    (void) cardfeed_buf_append(out, escape, sizeof(escape));
}


int
cardfeed_url_encode(cardfeed_buf_t *out, cardfeed_str_t s, const char *keep)
{
    size_t i, start;

    start = out->len;

    for (i = 0; i < s.len; i++) {
        if (cardfeed_url_is(s.data[i], CARDFEED_URL_UNRESERVED)
            || (keep != NULL && cardfeed_text_is_one_of(s.data[i], keep)))
        {
            (void) cardfeed_buf_char(out, s.data[i]);

        } else {
            cardfeed_url_put_escaped(out, s.data[i]);
        }
    }

    return out->failed == CARDFEED_OK
        ? CARDFEED_OK : cardfeed_buf_undo(out, start, out->failed);
}


int
cardfeed_url_decode(cardfeed_buf_t *out, cardfeed_str_t s, bool plus)
{
    cardfeed_str_t decoded;
    size_t i, start;
    char c;
    int rc;

    rc = CARDFEED_OK;
    start = out->len;

    for (i = 0; i < s.len && rc == CARDFEED_OK; i++) {
        c = s.data[i];

        if (c == '+' && plus) {
            c = ' ';

        } else if (c == '%') {
            if (!cardfeed_url_is_escape(s, i)) {
                rc = CARDFEED_INVALID;
                break;
            }

            c = (char) (cardfeed_text_hex(s.data[i + 1]) << 4
                | cardfeed_text_hex(s.data[i + 2]));
            i += 2;
        }

        rc = c != '\0' ? cardfeed_buf_char(out, c) : CARDFEED_INVALID;
    }

    if (rc == CARDFEED_OK && out->len != start) {
        decoded = cardfeed_str_part(cardfeed_buf_view(out), start,
            out->len - start);

        if (cardfeed_utf8_check(decoded) != decoded.len) {
            rc = CARDFEED_INVALID;
        }
    }

    return rc == CARDFEED_OK ? rc : cardfeed_buf_undo(out, start, rc);
}


/* What an IRI holds beside ASCII; RFC 3987, section 2.2, without what would
 * look like white space. */
static bool
is_ucschar(uint32_t cp)
{
    return cp >= 0xa0 && cp != CARDFEED_UTF8_BAD
        && !(cp >= 0xe000 && cp <= 0xf8ff) && cp < 0xe0000
        && !(cp >= 0xfff0 && cp <= 0xfffd) && !cardfeed_utf8_is_space(cp)
        && !cardfeed_utf8_is_noncharacter(cp);
}


bool
cardfeed_url_is_iri(cardfeed_str_t s)
{
    bool fragment;
    uint32_t cp;
    size_t at, n;

    n = cardfeed_url_scheme(s);
    if (n == 0 || n + 1 == s.len) {
        return false;
    }

    fragment = false;

    for (at = n + 1; at < s.len; at += n) {
        n = cardfeed_utf8_next(s, at, &cp);

        if (cp >= 0x80) {
            if (!is_ucschar(cp)) {
                return false;
            }

            continue;
        }

        if (cp == '#' && !fragment) {
            fragment = true;
            continue;
        }

        if (!cardfeed_url_is((char) cp, CARDFEED_URL_QUERY)
            && !cardfeed_url_is_escape(s, at))
        {
            return false;
        }
    }

    return true;
}
