/*
 * text: UTF-8, characters legal in XML, entities, slugs, dates, URLs, UUIDs,
 * and the two ways to hold memory: a growable buffer and an arena.
 *
 * Ownership: outputs are appended to a buffer the caller owns; inputs are
 *   only read and may not lie inside that buffer.
 * Threads: no state is shared; every function may run in any thread.
 *   libxml2 must have been initialised once by cardfeed_text_init().
 * Limits: a buffer never grows beyond the maximum it was made with, an arena
 *   neither.  Both remember a failure ("sticky"), so that a row of appends
 *   is checked once, at its end.
 * Sources: Unicode NFKC and case folding by utf8proc; XML 1.0 section 2.2
 *   (characters); RFC 3339 and RFC 822/1123 (dates); RFC 3986 (URLs);
 *   RFC 9562 (UUID version 5, by libuuid); HTML 4 entities by libxml2.
 */

#ifndef CARDFEED_TEXT_H
#define CARDFEED_TEXT_H

#include <cardfeed/base.h>

/* Once per process, before any thread uses the core; repeating is harmless. */
void cardfeed_text_init(void);

/* --- buffer ------------------------------------------------------------- */

typedef struct {
    char *data; /* NULL until something was appended; not terminated */
    size_t len;
    size_t cap;
    size_t max;
    int failed; /* CARDFEED_NOMEM once an append did not fit */
} cardfeed_buf_t;

void cardfeed_buf_init(cardfeed_buf_t *buf, size_t max);
void cardfeed_buf_free(cardfeed_buf_t *buf);  /* may be initialised again */
void cardfeed_buf_reset(cardfeed_buf_t *buf); /* empty, keeps its memory */

/* Gives back what was allocated and is not used. */
void cardfeed_buf_fit(cardfeed_buf_t *buf);

/* Each returns CARDFEED_OK or CARDFEED_NOMEM; after a failure the buffer
 * keeps what it had and refuses more. */
int cardfeed_buf_append(cardfeed_buf_t *buf, const void *data, size_t len);
/* Room for len bytes behind the last, to be filled and added to buf->len by
 * the caller; NULL where append would fail. */
char *cardfeed_buf_room(cardfeed_buf_t *buf, size_t len);
int cardfeed_buf_str(cardfeed_buf_t *buf, cardfeed_str_t s);
int cardfeed_buf_cstr(cardfeed_buf_t *buf, const char *s);
int cardfeed_buf_char(cardfeed_buf_t *buf, char c);
int cardfeed_buf_printf(cardfeed_buf_t *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static inline cardfeed_str_t
cardfeed_buf_view(const cardfeed_buf_t *buf)
{
    return (cardfeed_str_t){.data = buf->data ? buf->data : "",
        .len = buf->len};
}

/* --- arena -------------------------------------------------------------- */

typedef struct cardfeed_chunk_s cardfeed_chunk_t;

typedef struct {
    cardfeed_chunk_t *chunks;
    size_t used; /* bytes handed out since the last reset */
    size_t max;
    int failed;
} cardfeed_arena_t;

void cardfeed_arena_init(cardfeed_arena_t *arena, size_t max);
void cardfeed_arena_reset(cardfeed_arena_t *arena); /* keeps one chunk */
void cardfeed_arena_free(cardfeed_arena_t *arena);
/* Aligned for any type, zeroed; NULL when out of memory or over the cap. */
void *cardfeed_arena_alloc(cardfeed_arena_t *arena, size_t size);
/* A copy with a NUL behind it; data is NULL on failure. */
cardfeed_str_t cardfeed_arena_dup(cardfeed_arena_t *arena, cardfeed_str_t s);

/* --- strings ------------------------------------------------------------ */

bool cardfeed_str_eq(cardfeed_str_t a, cardfeed_str_t b);
bool cardfeed_str_caseeq(cardfeed_str_t a, cardfeed_str_t b); /* ASCII */
int cardfeed_str_cmp(cardfeed_str_t a, cardfeed_str_t b);     /* bytewise */
cardfeed_str_t cardfeed_str_trim(cardfeed_str_t s); /* ASCII white space */
cardfeed_str_t cardfeed_str_of(const char *s);      /* NULL is empty */

/* s is what stands before the first such byte, *rest what stands behind it;
 * false: there is none, and s stays. */
bool cardfeed_str_cut(cardfeed_str_t *s, char at, cardfeed_str_t *rest);

/* Offset of the first byte that is not well-formed UTF-8 (no surrogates, no
 * overlong forms, at most U+10FFFF), or s.len. */
size_t cardfeed_utf8_check(cardfeed_str_t s);

/*
 * One line of plain text for titles, excerpts and names: entities decoded
 * once if asked (only those that end in ';'; an unknown one stays as it is),
 * characters illegal in XML 1.0, C1 controls and noncharacters dropped, every
 * run of white space (also U+00A0, U+2028 …) one space, none at the ends.
 * Not well-formed bytes become U+FFFD.
 */
enum { CARDFEED_PLAIN_ENTITIES = 1 };
int cardfeed_text_plain(cardfeed_buf_t *out, cardfeed_str_t s,
    unsigned flags);

/* Cut at a character's boundary so that at most max bytes remain. */
cardfeed_str_t cardfeed_text_cut(cardfeed_str_t s, size_t max);

/* Bytes for a log line: controls, DEL, '\\' and malformed UTF-8 as \xHH. */
int cardfeed_text_escape(cardfeed_buf_t *out, cardfeed_str_t s);

/*
 * A topic's slug as DESIGN.md, "Topics", has it: NFKC, case-folded; letters,
 * marks and digits of any script; '-' for every run of anything else, none at
 * the ends; "C#" csharp, "C++" cplusplus, ".NET" dotnet, "ASP.NET" asp-net,
 * "#Portals" portals.  A name that leaves nothing gets "topic-" and eight hex
 * digits of a hash; "All" becomes topic-all.  At most CARDFEED_SLUG_MAX
 * bytes: a longer one is cut and ends in '-' and 16 hex digits of a hash of
 * the whole.  A slug is its own slug.
 */
#define CARDFEED_SLUG_MAX 240
int cardfeed_text_slug(cardfeed_buf_t *out, cardfeed_str_t name);

/* "some-file_name" in words: separators to spaces, first letter upper case,
 * a leading YYYY-MM-DD- and the extension dropped. */
int cardfeed_text_words(cardfeed_buf_t *out, cardfeed_str_t file_name);

/* --- dates -------------------------------------------------------------- */

/*
 * RFC 3339 (with T, t or a space), YYYY-MM-DD, "YYYY-MM-DD HH:MM[:SS[.f]]"
 * with an optional zone: Z, UTC, GMT, ±HH:MM, ±HHMM, ±HH, a space before it
 * allowed.  Without a zone the time is local to offset seconds east of UTC.
 * An hour may be of one digit, as in YAML's timestamps.
 * Years 0001 to 9999, calendar checked, second 60 reads as 59, fractions are
 * dropped.  CARDFEED_INVALID for anything else, trailing bytes included
 * (white space at the ends is skipped).
 */
int cardfeed_date_parse(cardfeed_str_t s, int offset, int64_t *sec);

/* "±HH:MM", "±HHMM", "Z" or "UTC" → seconds east. */
int cardfeed_date_zone(cardfeed_str_t s, int *offset);

#define CARDFEED_RFC3339_LEN 20 /* 2020-07-14T19:45:00Z */
#define CARDFEED_RFC822_LEN 29  /* Tue, 14 Jul 2020 19:45:00 GMT */
/* Times outside years 0001 to 9999 are clamped.  NUL-terminated. */
void cardfeed_date_rfc3339(char out[CARDFEED_RFC3339_LEN + 1], int64_t sec);
void cardfeed_date_rfc822(char out[CARDFEED_RFC822_LEN + 1], int64_t sec);

/*
 * Months of UTC's calendar by one number, year * 12 + month - 1, so that the
 * next one is one more; 0: none.  Years 0001 to 9999.
 */
#define CARDFEED_MONTH_LEN 7 /* 2020-07 */
int cardfeed_date_month_parse(cardfeed_str_t s, uint32_t *month);
void cardfeed_date_month_print(char out[CARDFEED_MONTH_LEN + 1],
    uint32_t month);
uint32_t cardfeed_date_month(int64_t sec); /* clamped, as above */
int64_t cardfeed_date_month_start(uint32_t month); /* its first second */

/* --- URLs --------------------------------------------------------------- */

/*
 * An absolute http(s) URL, ready for a feed: scheme and host lower case,
 * illegal and non-ASCII bytes percent-encoded with upper-case hex, bytes that
 * are legal left alone, existing escapes kept.  A relative reference is
 * resolved against base (may be empty: then it is an error).  White space at
 * the ends is dropped.  CARDFEED_INVALID, and nothing appended, for any other
 * scheme, for no host, user information, or what RFC 3986 cannot hold.
 */
int cardfeed_url_absolute(cardfeed_buf_t *out, cardfeed_str_t url,
    cardfeed_str_t base);

/*
 * As above, for what hangs below a site whose URL may have a path of its own
 * and ends in a slash: "/about/" below "https://example.org/blog/" is
 * "https://example.org/blog/about/".
 */
int cardfeed_url_below(cardfeed_buf_t *out, cardfeed_str_t url,
    cardfeed_str_t site);

/* An absolute URL that others hang below: without query, fragment and the
 * slashes at its end. */
int cardfeed_url_base(cardfeed_buf_t *out, cardfeed_str_t url);

/*
 * What a card may keep: an absolute http(s) URL as above, or, where it is
 * relative, a normalised path-absolute reference ("/learning/x/?q") that
 * cardfeed_url_below() resolves when the site's address is known.
 */
int cardfeed_url_clean(cardfeed_buf_t *out, cardfeed_str_t url);

/* RFC 3986, section 5.2.4, on what stands in out from offset start, which is
 * empty or begins with '/': "/a/./b/../c" is "/a/c". */
void cardfeed_url_remove_dots(cardfeed_buf_t *out, size_t start);

/* One path segment or query value: everything but unreserved characters
 * percent-encoded.  keep: further bytes left as they are, or NULL. */
int cardfeed_url_encode(cardfeed_buf_t *out, cardfeed_str_t s,
    const char *keep);

/* Percent-decoding; CARDFEED_INVALID for a bad escape, %00, or a result that
 * is not UTF-8.  plus: '+' is a space. */
int cardfeed_url_decode(cardfeed_buf_t *out, cardfeed_str_t s, bool plus);

/* Has "scheme:" in front and nothing that an IRI may not hold: fit for an
 * Atom id as it is. */
bool cardfeed_url_is_iri(cardfeed_str_t s);

/* --- identity ----------------------------------------------------------- */

#define CARDFEED_URN_LEN 45 /* urn:uuid:xxxxxxxx-xxxx-5xxx-xxxx-xxxxxxxxxxxx */

/*
 * urn:uuid version 5 over the project's own name space and the name
 * COLLECTION KIND REST.  kind '/' names cards (rest: the relative path),
 * '#' cards by front matter id, '?' feeds (rest: the canonical selection).
 * NUL-terminated.
 */
int cardfeed_text_urn(char out[CARDFEED_URN_LEN + 1],
    cardfeed_str_t collection, char kind, cardfeed_str_t rest);

/* The 64-bit hash all ids in the index are made with (XXH3, seed 0). */
uint64_t cardfeed_text_hash(cardfeed_str_t s);

#endif /* CARDFEED_TEXT_H */
