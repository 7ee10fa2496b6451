/*
 * text_private: what the files of the text room share with each other.
 */

#ifndef CARDFEED_TEXT_PRIVATE_H
#define CARDFEED_TEXT_PRIVATE_H

#include <cardfeed/text.h>

#define CARDFEED_UTF8_BAD UINT32_MAX

/*
 * Reads one character of s from offset at (below s.len).  Returns its length;
 * for malformed bytes *cp is CARDFEED_UTF8_BAD and the length that of the
 * longest start of a character, as Unicode recommends for replacement.
 */
size_t cardfeed_utf8_next(cardfeed_str_t s, size_t at, uint32_t *cp);

/* Writes a valid character, returns its length. */
size_t cardfeed_utf8_put(char out[4], uint32_t cp);

int cardfeed_utf8_append(cardfeed_buf_t *buf, uint32_t cp);

/* Unicode's White_Space property. */
bool cardfeed_utf8_is_space(uint32_t cp);

bool cardfeed_utf8_is_noncharacter(uint32_t cp);

/* The value of a hexadecimal digit, or -1. */
int cardfeed_text_hex(char c);

/* What a byte of a URL may be; RFC 3986, sections 2 and 3. */
enum {
    CARDFEED_URL_UNRESERVED = 1,
    CARDFEED_URL_PATH = 2,  /* pchar and '/' */
    CARDFEED_URL_QUERY = 4, /* and of a fragment */
    CARDFEED_URL_HOST = 8,  /* of a registered name, escapes excepted */
    CARDFEED_URL_SCHEME = 16
};

/* Whether c belongs to one of the classes in allowed. */
bool cardfeed_url_is(char c, unsigned allowed);

/* The length of the scheme that s has in front, without its ':', or 0. */
size_t cardfeed_url_scheme(cardfeed_str_t s);

/* Whether '%' and two hexadecimal digits stand at offset at. */
bool cardfeed_url_is_escape(cardfeed_str_t s, size_t at);

void cardfeed_url_put_escaped(cardfeed_buf_t *out, char c);

static inline bool
cardfeed_text_is_one_of(char c, const char *set)
{
    for ( /* void */ ; *set != '\0'; set++) {
        if (*set == c) {
            return true;
        }
    }

    return false;
}

static inline bool
cardfeed_text_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
cardfeed_text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char
cardfeed_text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
}

static inline cardfeed_str_t
cardfeed_str_from(cardfeed_str_t s, size_t at)
{
    return (cardfeed_str_t){.data = at != 0 ? s.data + at : s.data,
        .len = s.len - at};
}

static inline cardfeed_str_t
cardfeed_str_part(cardfeed_str_t s, size_t at, size_t len)
{
    return (cardfeed_str_t){.data = at != 0 ? s.data + at : s.data,
        .len = len};
}

/* Takes back what was appended since the buffer had len bytes. */
static inline int
cardfeed_buf_undo(cardfeed_buf_t *buf, size_t len, int rc)
{
    buf->len = len;

    if (rc == CARDFEED_NOMEM) {
        buf->failed = rc;
    }

    return rc;
}

#endif /* CARDFEED_TEXT_PRIVATE_H */
