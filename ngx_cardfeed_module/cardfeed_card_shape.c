/* card_shape: the words of card_skim's grammar: lines, names and scalars. */

#include "cardfeed_card_private.h"

#include <string.h>

#define NAME_MAX_LEN 128

/* Bytes that are looked at together; the compiler knows how. */
typedef signed char text_block_t __attribute__((vector_size(16)));


static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}


const char *
cardfeed_card_shape_next_line(const char *at, const char *end)
{
    return (const char *) memchr(at, '\n', (size_t) (end - at)) + 1;
}


/* The length of a character beyond ASCII, 0 for those that mean something to
 * libyaml or that its reader refuses. */
static size_t
wide(const char *at)
{
    const unsigned char *u = (const unsigned char *) at;

    if (u[0] < 0xe0) {
        /* U+0080 to U+009F: controls, and NEL. */
        return u[0] == 0xc2 && u[1] < 0xa0 ? 0 : 2;
    }

    if (u[0] >= 0xf0) {
        return 4;
    }

    /* LS and PS; the BOM, U+FFFE and U+FFFF. */
    if ((u[0] == 0xe2 && u[1] == 0x80 && (u[2] | 1) == 0xa9)
        || (u[0] == 0xef
            && ((u[1] == 0xbb && u[2] == 0xbf)
                || (u[1] == 0xbf && u[2] >= 0xbe))))
    {
        return 0;
    }

    return 3;
}


/* How many bytes of a block are before the first that is set; 16: none is. */
static unsigned
block_first(text_block_t set)
{
    uint64_t half[2];

    memcpy(half, &set, sizeof(half));

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    half[0] = __builtin_bswap64(half[0]);
    half[1] = __builtin_bswap64(half[1]);
#endif

    if (half[0] != 0) {
        return (unsigned) __builtin_ctzll(half[0]) / 8;
    }

    return half[1] != 0 ? 8 + (unsigned) __builtin_ctzll(half[1]) / 8 : 16;
}


/* Past all bytes from 0x20 to 0x7E that are neither the quote nor '\\'. */
static const char *
text_run(const char *at, const char *end, char quote)
{
    unsigned n;
    text_block_t block;

    /* Most of what is skimmed is here: as signed bytes, those beyond ASCII
     * are below 0x20 as well. */
    while ((size_t) (end - at) >= sizeof(block)) {
        memcpy(&block, at, sizeof(block));
        n = block_first((text_block_t) ((block < 0x20) | (block == 0x7f)
                                        | (block == (signed char) quote)
                                        | (block == '\\')));
        at += n;

        if (n != sizeof(block)) {
            return at;
        }
    }

    while (*at >= 0x20 && *at < 0x7f && *at != quote && *at != '\\') {
        at++;
    }

    return at;
}


/* The length of an escape in double quotes, or 0. */
static size_t
escape(const char *at)
{
    size_t i;
    char c;

    switch (at[1]) {
    case '"':
    case '\\':
    case 'n':
    case 'r':
    case 't':
        return 2;

    case 'u':
        break;

    default:
        return 0;
    }

    for (i = 2; i < 6; i++) {
        c = at[i];

        if (!digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) {
            return 0;
        }
    }

    /* Half a surrogate pair is an error. */
    return (at[2] == 'd' || at[2] == 'D') && at[3] >= '8' ? 0 : 6;
}


/* From an opening quote past the closing one. */
static bool
string(cardfeed_card_shape_t *s)
{
    const char quote = *s->at;

    const char *at;
    size_t n;

    at = s->at + 1;

    for ( ;; ) {
        at = text_run(at, s->end, quote);

        if (*at == quote) {
            if (quote == '"' || at[1] != quote) {
                s->at = at + 1;
                return true;
            }

            n = 2;

        } else if (*at == '\\') {
            n = quote == '"' ? escape(at) : 1;

        } else {
            n = (unsigned char) *at >= 0x80 ? wide(at) : 0;
        }

        if (n == 0) {
            return false;
        }

        at += n;
    }
}


static bool
plain(cardfeed_card_shape_t *s)
{
    unsigned char c;
    size_t n;
    char last;

    last = ' ';

    if (!cardfeed_card_shape_letter(*s->at) && !digit(*s->at) && *s->at != '/'
        && (unsigned char) *s->at < 0x80)
    {
        return false;
    }

    while (cardfeed_card_shape_line_end(s) == 0) {
        c = (unsigned char) *s->at;
        n = c >= 0x80 ? wide(s->at) : c >= 0x20 && c != 0x7f;

        if (n == 0 || (c == '#' && last == ' ')
            || (c == ' ' && last == ':'))
        {
            return false;
        }

        last = *s->at;
        s->at += n;
    }

    return last != ' ' && last != ':';
}


/* A SCALAR up to the end of its line. */
bool
cardfeed_card_shape_scalar(cardfeed_card_shape_t *s)
{
    size_t n;
    bool ok;

    switch (*s->at) {
    case '"':
    case '\'':
        ok = string(s);
        break;

    case '[':
    case '{':
        ok = s->at[1] == (*s->at == '[' ? ']' : '}');
        s->at += ok ? 2 : 0;
        break;

    default:
        ok = plain(s);
    }

    n = cardfeed_card_shape_line_end(s);
    s->at += n;

    return ok && n != 0;
}


/* The length of a NAME with the ':' of a key behind it, or 0. */
size_t
cardfeed_card_shape_key(const cardfeed_card_shape_t *s)
{
    const char *at = s->at;

    if (!cardfeed_card_shape_letter(*at)) {
        return 0;
    }

    while (cardfeed_card_shape_letter(*at) || digit(*at) || *at == '-') {
        at++;
    }

    if (*at != ':' || at - s->at > NAME_MAX_LEN) {
        return 0;
    }

    return at[1] == ' ' || at[1] == '\n' || (at[1] == '\r' && at[2] == '\n')
        ? (size_t) (at - s->at)
        : 0;
}
