/*
 * feed: cards → the bytes of a document; a table of functions per format.
 *
 * Ownership: everything a cardfeed_feed_t points to is borrowed for the call.
 *   The document is appended to the caller's buffer, whose maximum is the
 *   document's; on failure what was appended is to be thrown away.
 * Threads: any; cardfeed_text_init() first.
 * Determinism: the same feed gives the same bytes, on every machine; no
 *   clock, no locale, no order but that of the cards.
 * Limits: none of its own.
 * Errors: CARDFEED_NOMEM, CARDFEED_ERROR.
 * Source of the format: FEEDS.md; RFC 4287, RFC 5005, RSS 2.0 and the RSS
 *   Advisory Board's best practices, Media RSS; JSON Feed 1.1.
 */

#ifndef CARDFEED_FEED_H
#define CARDFEED_FEED_H

#include <cardfeed/record.h>
#include <cardfeed/text.h>

typedef struct {
    /* All texts are plain UTF-8 and not empty unless said otherwise; every
     * URL is absolute and clean. */
    cardfeed_str_t id;          /* urn:uuid:…, the same for all pages */
    cardfeed_str_t title;       /* "Site: Topic" */
    cardfeed_str_t description;
    cardfeed_str_t home_url;    /* the site's page; ends in a slash, and
                                   cards' relative links hang below it */
    cardfeed_str_t self_url;
    cardfeed_str_t first_url;   /* paging; empty: none of them */
    cardfeed_str_t next_url;    /* empty: no older page */
    cardfeed_str_t hub_url;     /* empty: none */
    cardfeed_str_t author;      /* name, for entries that have none */
    cardfeed_str_t language;    /* empty: unknown */
    cardfeed_str_t icon_url;    /* empty: none */
    cardfeed_str_t logo_url;    /* empty: none */
    cardfeed_str_t rights;      /* empty: none */
    int64_t updated;            /* newest content time; NO_TIME: 1970 */
    uint32_t ttl;               /* minutes; 0: absent */
    bool complete;              /* everything is in this document */
    const cardfeed_record_t *cards;
    size_t ncards;
} cardfeed_feed_t;

typedef struct cardfeed_writer_s cardfeed_writer_t; /* a format's own */

typedef struct {
    const char *name;         /* and extension: "rss" */
    const char *content_type; /* without charset */
    const char *title;        /* for people: "RSS 2.0" */
    int (*begin)(cardfeed_writer_t **writer, const cardfeed_feed_t *feed,
        cardfeed_buf_t *out);
    int (*entry)(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
        const cardfeed_record_t *card);
    /* Ends the document and frees the writer, also after a failure. */
    int (*end)(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
        int rc);
} cardfeed_format_t;

extern const cardfeed_format_t cardfeed_feed_rss;
extern const cardfeed_format_t cardfeed_feed_atom;
extern const cardfeed_format_t cardfeed_feed_json;

/* By name ("atom"), or NULL. */
const cardfeed_format_t *cardfeed_feed_format(cardfeed_str_t name);

/* All formats, NULL at the end, in the order they are offered. */
extern const cardfeed_format_t *const cardfeed_feed_formats[];

int cardfeed_feed_render(const cardfeed_format_t *format,
    const cardfeed_feed_t *feed, cardfeed_buf_t *out, cardfeed_error_t *err);

#define CARDFEED_GENERATOR "cardfeed"

#endif /* CARDFEED_FEED_H */
