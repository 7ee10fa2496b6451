/* text_slug: topic names to slugs, file names to words. */

#include "cardfeed_text_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utf8proc.h>

#define SLUG_ROUNDS 8
#define SLUG_HASH_LEN 17 /* '-' and 16 digits */
#define DATE_LEN 11      /* YYYY-MM-DD- */


/* NFKC, case-folded, without what is invisible by default; malformed bytes
 * become U+FFFD, which separates. */
static int
slug_fold(cardfeed_buf_t *out, cardfeed_str_t s)
{
    cardfeed_buf_t clean;
    utf8proc_ssize_t len;
    utf8proc_uint8_t *folded;
    uint32_t cp;
    size_t at, n;
    int rc;

    folded = NULL;
    rc = CARDFEED_OK;
    cardfeed_buf_init(&clean, SIZE_MAX / 16);

    for (at = 0; at < s.len && rc == CARDFEED_OK; at += n) {
        n = cardfeed_utf8_next(s, at, &cp);

        rc = cp == CARDFEED_UTF8_BAD
            ? cardfeed_buf_cstr(&clean, "\xef\xbf\xbd")
            : cardfeed_buf_append(&clean, s.data + at, n);
    }

    if (rc != CARDFEED_OK || clean.len == 0) {
        goto cleanup;
    }

    len = utf8proc_map((const utf8proc_uint8_t *) clean.data,
        (utf8proc_ssize_t) clean.len, &folded,
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT
            | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);

    rc = len < 0 ? CARDFEED_NOMEM
                 : cardfeed_buf_append(out, folded, (size_t) len);

cleanup:

    free(folded);
    cardfeed_buf_free(&clean);

    return rc;
}


static int
slug_fold_ascii(cardfeed_buf_t *out, cardfeed_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        (void) cardfeed_buf_char(out, cardfeed_text_lower(s.data[i]));
    }

    return out->failed;
}


static bool
is_ascii(cardfeed_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if ((unsigned char) s.data[i] >= 0x80) {
            return false;
        }
    }

    return true;
}


static bool
is_slug_character(uint32_t cp)
{
    if (cp < 0x80) {
        return (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9');
    }

    switch (utf8proc_category((utf8proc_int32_t) cp)) {

    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;

    default:
        return false;
    }
}


/* From folded text to letters, marks, digits and single '-' between them. */
static int
slug_filter(cardfeed_buf_t *out, cardfeed_str_t s)
{
    bool dash;
    uint32_t cp;
    size_t at, n;

    while (s.len != 0) {
        n = cardfeed_utf8_next(s, 0, &cp);
        if (!cardfeed_utf8_is_space(cp)) {
            break;
        }

        s = cardfeed_str_from(s, n);
    }

    if (s.len != 0 && s.data[0] == '#') {
        s = cardfeed_str_from(s, 1);
    }

    if (s.len != 0 && s.data[0] == '.') {
        (void) cardfeed_buf_cstr(out, "dot");
        s = cardfeed_str_from(s, 1);
    }

    dash = false;

    for (at = 0; at < s.len; at += n) {
        n = cardfeed_utf8_next(s, at, &cp);

        if (cp != '#' && cp != '+' && !is_slug_character(cp)) {
            dash = out->len != 0;
            continue;
        }

        if (dash) {
            (void) cardfeed_buf_char(out, '-');
            dash = false;
        }

        if (cp == '#') {
            (void) cardfeed_buf_cstr(out, "sharp");

        } else if (cp == '+') {
            (void) cardfeed_buf_cstr(out, "plus");

        } else {
            (void) cardfeed_buf_append(out, s.data + at, n);
        }
    }

    return out->failed;
}


/*
 * Folds and filters until nothing changes: dropping a character can put two
 * together that compose.  folded keeps the folded name, for its hash.
 */
static int
slug_settle(cardfeed_buf_t *slug, cardfeed_buf_t *folded, cardfeed_str_t name)
{
    cardfeed_buf_t again, next;
    unsigned round;
    int rc;

    cardfeed_buf_init(&again, SIZE_MAX / 16);
    cardfeed_buf_init(&next, SIZE_MAX / 16);

    rc = is_ascii(name) ? slug_fold_ascii(folded, name)
                        : slug_fold(folded, name);

    if (rc == CARDFEED_OK) {
        rc = slug_filter(slug, cardfeed_buf_view(folded));
    }

    for (round = 0; rc == CARDFEED_OK; round++) {

        if (is_ascii(cardfeed_buf_view(slug))) {
            break;
        }

        if (round == SLUG_ROUNDS) {
            cardfeed_buf_reset(slug);
            break;
        }

        cardfeed_buf_reset(&again);
        cardfeed_buf_reset(&next);

        rc = slug_fold(&again, cardfeed_buf_view(slug));
        if (rc != CARDFEED_OK) {
            break;
        }

        rc = slug_filter(&next, cardfeed_buf_view(&again));
        if (rc != CARDFEED_OK
            || cardfeed_str_eq(cardfeed_buf_view(slug),
                cardfeed_buf_view(&next)))
        {
            break;
        }

        cardfeed_buf_reset(slug);
        rc = cardfeed_buf_str(slug, cardfeed_buf_view(&next));
    }

    cardfeed_buf_free(&again);
    cardfeed_buf_free(&next);

    return rc;
}


int
cardfeed_text_slug(cardfeed_buf_t *out, cardfeed_str_t name)
{
    cardfeed_buf_t slug, folded;
    cardfeed_str_t s;
    size_t start;
    int rc;

    start = out->len;
    cardfeed_buf_init(&slug, SIZE_MAX / 16);
    cardfeed_buf_init(&folded, SIZE_MAX / 16);

    rc = slug_settle(&slug, &folded, name);
    if (rc != CARDFEED_OK) {
        goto cleanup;
    }

    s = cardfeed_buf_view(&slug);

    if (s.len == 0) {
        rc = cardfeed_buf_printf(out, "topic-%08" PRIx32,
            (uint32_t) cardfeed_text_hash(cardfeed_buf_view(&folded)));

    } else if (cardfeed_str_eq(s, CARDFEED_STR("all"))) {
        rc = cardfeed_buf_cstr(out, "topic-all");

    } else if (s.len <= CARDFEED_SLUG_MAX) {
        rc = cardfeed_buf_str(out, s);

    } else {
        s = cardfeed_text_cut(s, CARDFEED_SLUG_MAX - SLUG_HASH_LEN);

        if (s.data[s.len - 1] == '-') {
            s.len--;
        }

        (void) cardfeed_buf_str(out, s);
        rc = cardfeed_buf_printf(out, "-%016" PRIx64,
            cardfeed_text_hash(cardfeed_buf_view(&slug)));
    }

cleanup:

    cardfeed_buf_free(&slug);
    cardfeed_buf_free(&folded);

    return rc == CARDFEED_OK ? rc : cardfeed_buf_undo(out, start, rc);
}


static bool
is_word_separator(uint32_t cp)
{
    return cp == '-' || cp == '_' || cardfeed_utf8_is_space(cp);
}


static bool
starts_with_date(cardfeed_str_t s)
{
    static const char pattern[DATE_LEN + 1] = "dddd-dd-dd-";
    size_t i;

    if (s.len < DATE_LEN) {
        return false;
    }

    for (i = 0; i < DATE_LEN; i++) {
        if (pattern[i] == 'd' ? !cardfeed_text_is_digit(s.data[i])
                              : s.data[i] != pattern[i])
        {
            return false;
        }
    }

    return true;
}


/* Without the directory, the extension, and a date in front; a name that is
 * nothing but a date keeps it. */
static cardfeed_str_t
words_stem(cardfeed_str_t s)
{
    size_t i;

    for (i = s.len; i > 0; i--) {
        if (s.data[i - 1] == '/') {
            break;
        }
    }

    s = cardfeed_str_from(s, i);

    for (i = s.len; i > 1; i--) {
        if (s.data[i - 1] == '.') {
            s.len = i - 1;
            break;
        }
    }

    if (starts_with_date(s) && s.len > DATE_LEN) {
        s = cardfeed_str_from(s, DATE_LEN);
    }

    return s;
}


int
cardfeed_text_words(cardfeed_buf_t *out, cardfeed_str_t file_name)
{
    cardfeed_buf_t words;
    cardfeed_str_t s;
    uint32_t cp;
    size_t at, n;
    bool started;
    int rc;

    s = words_stem(file_name);
    started = false;
    cardfeed_buf_init(&words, SIZE_MAX / 16);

    for (at = 0; at < s.len; at += n) {
        n = cardfeed_utf8_next(s, at, &cp);

        if (is_word_separator(cp)) {
            (void) cardfeed_buf_char(&words, ' ');

        } else if (!started && cp != CARDFEED_UTF8_BAD) {
            started = true;
            (void) cardfeed_utf8_append(&words,
                (uint32_t) utf8proc_totitle((utf8proc_int32_t) cp));

        } else {
            (void) cardfeed_buf_append(&words, s.data + at, n);
        }
    }

    rc = words.failed != CARDFEED_OK
        ? cardfeed_buf_undo(out, out->len, words.failed)
        : cardfeed_text_plain(out, cardfeed_buf_view(&words), 0);

    cardfeed_buf_free(&words);

    return rc;
}
