/* feed_escape: any bytes → character data of a document. */

#include "cardfeed_feed_private.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

#define WORD sizeof(uint64_t)
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* What stands instead of an ASCII character; NULL: itself.  An XML parser
 * would turn a carriage return into a line's end, and both, and a tab, into
 * spaces where they stand in an attribute. */
static const char *const feed_escapes[][0x80] = {
    [CARDFEED_FEED_TEXT] = {
        ['\r'] = "&#13;",
        ['&'] = "&amp;",
        ['<'] = "&lt;",
        ['>'] = "&gt;",
    },
    [CARDFEED_FEED_ATTRIBUTE] = {
        ['\t'] = "&#9;",
        ['\n'] = "&#10;",
        ['\r'] = "&#13;",
        ['"'] = "&quot;",
        ['&'] = "&amp;",
        ['<'] = "&lt;",
        ['>'] = "&gt;",
    },
    [CARDFEED_FEED_HTML] = {
        ['\r'] = "&#13;",
        ['&'] = "&amp;amp;",
        ['<'] = "&amp;lt;",
        ['>'] = "&amp;gt;",
    },
    [CARDFEED_FEED_STRING] = {
        ['\t'] = "\\t",
        ['\n'] = "\\n",
        ['\r'] = "\\r",
        ['"'] = "\\\"",
        ['\\'] = "\\\\",
    },
};


/* Which of the bytes of word are zero: not nothing if any is. */
static uint64_t
feed_zero(uint64_t word)
{
    return (word - EACH(0x01)) & ~word & EACH(0x80);
}


/* Whether the next eight bytes are ASCII that means nothing anywhere. */
static bool
feed_is_plain(cardfeed_str_t s, size_t at)
{
    uint64_t word, odd;

    if (s.len - at < WORD) {
        return false;
    }

    memcpy(&word, s.data + at, WORD);

    odd = word & EACH(0x80);
    odd |= feed_zero(word & EACH(0xe0));               /* controls */
    odd |= feed_zero((word & EACH(0xfb)) ^ EACH('"')); /* " and & */
    odd |= feed_zero((word & EACH(0xfd)) ^ EACH('<')); /* < and > */
    odd |= feed_zero(word ^ EACH('\\'));

    return odd == 0;
}


/*
 * What stands instead of the character at that place, NULL for itself, and
 * its length.  Up to *good the text is known to be well-formed.
 */
static const char *
feed_instead(cardfeed_str_t s, size_t at, const char *const *escapes,
    size_t *good, size_t *len)
{
    const unsigned char *p;

    p = (const unsigned char *) s.data + at;
    *len = 1;

    if (*p < 0x80) {
        if (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') {
            return "";
        }

        return escapes[*p];
    }

    if (at >= *good) {
        *good = at + cardfeed_utf8_check(
            (cardfeed_str_t){.data = s.data + at, .len = s.len - at});

        if (*good == at) {
            return REPLACEMENT;
        }
    }

    if (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe) {
        *len = 3;
        return "";
    }

    return NULL;
}


void
cardfeed_feed_escape(cardfeed_buf_t *out, cardfeed_str_t s,
    cardfeed_feed_place_t place)
{
    size_t i, start, slow, good, len;
    const char *instead;

    i = start = slow = good = 0;

    while (i < s.len) {

        if (i >= slow) {
            if (feed_is_plain(s, i)) {
                i += WORD;
                continue;
            }

            slow = i + WORD;
        }

        instead = feed_instead(s, i, feed_escapes[place], &good, &len);

        if (instead != NULL) {
            cardfeed_buf_append(out, s.data + start, i - start);
            cardfeed_buf_cstr(out, instead);
            start = i + len;
        }

        i += len;
    }

    cardfeed_buf_append(out, s.data + start, i - start);
}
