/* text: plain text for feeds and logs, error messages, hashes and URNs. */

#include "cardfeed_text_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <uuid/uuid.h>
#include <xxhash.h>

#define ENTITY_NAME_MAX 32
#define CODE_POINTS 0x110000
#define REPLACEMENT 0xfffd

/*
 * The name space of every URN that cardfeed makes.  It never changes: another
 * one would make every subscriber's reader show every card again.
 */
static const uuid_t cardfeed_namespace = {0x35, 0x01, 0x58, 0xd7, 0x80, 0x6a,
    0x42, 0xcf, 0xa3, 0x8e, 0xb9, 0xf5, 0xc1, 0x69, 0x56, 0x3b};

/* What numeric references to C1 controls mean in HTML (windows-1252). */
static const uint16_t c1_references[32] = {0x20ac, 0x81, 0x201a, 0x192,
    0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
    0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};


void
cardfeed_text_init(void)
{
    xmlInitParser();
}


static bool
is_control(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f);
}


/* Legal in XML 1.0, and nothing that validators warn about. */
static bool
is_text(uint32_t cp)
{
    return cp < CODE_POINTS && !is_control(cp)
        && !(cp >= 0xd800 && cp <= 0xdfff)
        && !cardfeed_utf8_is_noncharacter(cp);
}


static size_t
entity_number(cardfeed_str_t s, uint32_t *cp)
{
    int base, digit;
    size_t i, first;
    uint32_t value;

    base = s.len > 2 && cardfeed_text_lower(s.data[2]) == 'x' ? 16 : 10;
    first = base == 16 ? 3 : 2;
    value = 0;

    for (i = first; i < s.len; i++) {
        digit = cardfeed_text_hex(s.data[i]);
        if (digit < 0 || digit >= base) {
            break;
        }

        value = value * (uint32_t) base + (uint32_t) digit;

        if (value > CODE_POINTS) {
            value = CODE_POINTS;
        }
    }

    if (i == first || i == s.len || s.data[i] != ';') {
        return 0;
    }

    if (value >= 0x80 && value <= 0x9f) {
        value = c1_references[value - 0x80];
    }

    *cp = value;

    return i + 1;
}


/* The length of the entity that s, which begins with '&', starts with and the
 * character it names; 0 when it is none. */
static size_t
entity_read(cardfeed_str_t s, uint32_t *cp)
{
    const htmlEntityDesc *entity;
    char name[ENTITY_NAME_MAX + 1];
    size_t i;

    if (s.len > 1 && s.data[1] == '#') {
        return entity_number(s, cp);
    }

    for (i = 1; i < s.len && i <= ENTITY_NAME_MAX; i++) {
        if (!cardfeed_text_is_alpha(s.data[i])
            && !cardfeed_text_is_digit(s.data[i]))
        {
            break;
        }

        name[i - 1] = s.data[i];
    }

    if (i == 1 || i == s.len || s.data[i] != ';') {
        return 0;
    }

    name[i - 1] = '\0';

    entity = htmlEntityLookup((const xmlChar *) name);
    if (entity == NULL) {
        return 0;
    }

    *cp = entity->value;

    return i + 1;
}


/* The length of the run of bytes that are copied as they are. */
static size_t
plain_run(cardfeed_str_t s, size_t at, bool entities)
{
    size_t i;
    char c;

    for (i = at; i < s.len; i++) {
        c = s.data[i];

        if (c <= ' ' || c > '~' || (c == '&' && entities)) {
            break;
        }
    }

    return i - at;
}


int
cardfeed_text_plain(cardfeed_buf_t *out, cardfeed_str_t s, unsigned flags)
{
    bool entities, space;
    uint32_t cp;
    size_t at, n, start;

    entities = (flags & CARDFEED_PLAIN_ENTITIES) != 0;
    space = false;
    start = out->len;

    for (at = 0; at < s.len; at += n) {

        n = plain_run(s, at, entities);

        if (n == 0) {
            if (s.data[at] == '&' && entities) {
                n = entity_read(cardfeed_str_from(s, at), &cp);
            }

            if (n == 0) {
                n = cardfeed_utf8_next(s, at, &cp);
            }

            if (cp == CARDFEED_UTF8_BAD) {
                cp = REPLACEMENT;
            }

            if (cardfeed_utf8_is_space(cp)) {
                space = out->len != start;
                continue;
            }

            if (!is_text(cp)) {
                continue;
            }

        } else {
            cp = 0;
        }

        if (space) {
            (void) cardfeed_buf_char(out, ' ');
            space = false;
        }

        if (cp == 0) {
            (void) cardfeed_buf_append(out, s.data + at, n);

        } else {
            (void) cardfeed_utf8_append(out, cp);
        }

        if (out->failed != CARDFEED_OK) {
            break;
        }
    }

    return out->failed == CARDFEED_OK
        ? CARDFEED_OK : cardfeed_buf_undo(out, start, out->failed);
}


int
cardfeed_text_escape(cardfeed_buf_t *out, cardfeed_str_t s)
{
    size_t at, i, n, start;
    uint32_t cp;

    start = out->len;

    for (at = 0; at < s.len && out->failed == CARDFEED_OK; at += n) {
        n = cardfeed_utf8_next(s, at, &cp);

        if (cp != CARDFEED_UTF8_BAD && cp != '\\' && !is_control(cp)) {
            (void) cardfeed_buf_append(out, s.data + at, n);
            continue;
        }

        for (i = 0; i < n; i++) {
            (void) cardfeed_buf_printf(out, "\\x%02x",
                (unsigned) (unsigned char) s.data[at + i]);
        }
    }

    return out->failed == CARDFEED_OK
        ? CARDFEED_OK : cardfeed_buf_undo(out, start, out->failed);
}


int
cardfeed_error_set(cardfeed_error_t *err, int code, unsigned line,
    const char *fmt, ...)
{
    char raw[2 * CARDFEED_MESSAGE], piece[4 * 4 + 1];
    size_t at, i, n, len, used;
    cardfeed_str_t s;
    uint32_t cp;
    va_list args;
    int rc;

    if (err == NULL) {
        return code;
    }

    va_start(args, fmt);
    /* The analyzer loses va_start where it reads several files in a row. */
    rc = vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);

    s = cardfeed_str_of(rc >= 0 ? raw : fmt);
    used = 0;

    for (at = 0; at < s.len; at += n) {
        n = cardfeed_utf8_next(s, at, &cp);
        len = 0;

        for (i = 0; i < n; i++) {
            if (cp == CARDFEED_UTF8_BAD || is_control(cp)) {
                (void) snprintf(piece + len, sizeof(piece) - len, "\\x%02x",
                    (unsigned) (unsigned char) s.data[at + i]);
                len += 4;

            } else {
                piece[len++] = s.data[at + i];
            }
        }

        if (len > CARDFEED_MESSAGE - 1 - used) {
            break;
        }

        memcpy(err->message + used, piece, len);
        used += len;
    }

    err->message[used] = '\0';
    err->code = code;
    err->line = line;

    return code;
}


uint64_t
cardfeed_text_hash(cardfeed_str_t s)
{
    return XXH3_64bits(s.len != 0 ? s.data : "", s.len);
}


int
cardfeed_text_urn(char out[CARDFEED_URN_LEN + 1], cardfeed_str_t collection,
    char kind, cardfeed_str_t rest)
{
    static const char prefix[] = "urn:uuid:";
    cardfeed_buf_t name;
    uuid_t uuid;
    int rc;

    cardfeed_buf_init(&name, SIZE_MAX);
    (void) cardfeed_buf_str(&name, collection);
    (void) cardfeed_buf_char(&name, kind);

    rc = cardfeed_buf_str(&name, rest);

    if (rc == CARDFEED_OK) {
        uuid_generate_sha1(uuid, cardfeed_namespace, name.data, name.len);
        memcpy(out, prefix, sizeof(prefix) - 1);
        uuid_unparse_lower(uuid, out + sizeof(prefix) - 1);
    }

    cardfeed_buf_free(&name);

    return rc;
}
