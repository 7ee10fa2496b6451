/*
 * feed: cards, or topics → the bytes of a document; a table of functions per
 * format.
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
 *   Advisory Board's best practices, Media RSS; JSON Feed 1.1; OPML 2.0; HTML
 *   and Content Security Policy Level 3.
 */

#ifndef CARDFEED_FEED_H
#define CARDFEED_FEED_H

#include <cardfeed/record.h>
#include <cardfeed/store.h>
#include <cardfeed/text.h>

typedef struct cardfeed_format_s cardfeed_format_t;

/* The same entries in another format. */
typedef struct {
    const cardfeed_format_t *format;
    cardfeed_str_t url;
} cardfeed_alternate_t;

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
    cardfeed_str_t month;       /* "2024-03": an archive document */
    bool archive;               /* of a month that has ended */
    cardfeed_str_t current_url; /* the feed an archive document is of */
    cardfeed_str_t prev_archive_url; /* older cards; also of a first page */
    cardfeed_str_t next_archive_url; /* newer ones */
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

    /* For people (HTML); of formats for feed readers: its own among them. */
    cardfeed_str_t words;     /* the selection: "A and B"; empty: all */
    cardfeed_str_t feeds_url; /* ends in a slash; SLUG.FORMAT hangs below it,
                                 and it is the catalogue; empty: unknown */
    const cardfeed_alternate_t *alternates;
    size_t nalternates;
} cardfeed_feed_t;

/* A page of the catalogue of topics.  Texts and URLs as above. */
typedef struct {
    cardfeed_str_t title;       /* the site's */
    cardfeed_str_t description; /* may be empty */
    cardfeed_str_t home_url;
    cardfeed_str_t self_url;
    cardfeed_str_t first_url;   /* empty: this is the first page */
    cardfeed_str_t next_url;    /* empty: this is the last one */
    cardfeed_str_t feeds_url;   /* as above, but never empty */
    cardfeed_str_t language;    /* these four may be empty */
    cardfeed_str_t icon_url;
    cardfeed_str_t author;
    cardfeed_str_t rights;
    int64_t updated;            /* of the newest card; NO_TIME: none */
    cardfeed_topic_t all;       /* listed on every first page, and in OPML
                                   where nothing else is left to list */
    const cardfeed_topic_t *topics; /* in slug order, with cards */
    size_t ntopics;
} cardfeed_catalogue_t;

typedef struct cardfeed_writer_s cardfeed_writer_t; /* a format's own */

/*
 * A format has begin, entry and end, or catalogue, or all four.
 */
struct cardfeed_format_s {
    const char *name;         /* and extension: "rss" */
    const char *content_type; /* without charset */
    const char *title;        /* for people: "RSS 2.0" */
    const char *policy;       /* Content-Security-Policy, or NULL */
    bool subscribe;           /* for feed readers: offered by autodiscovery */
    int (*begin)(cardfeed_writer_t **writer, const cardfeed_feed_t *feed,
        cardfeed_buf_t *out);
    int (*entry)(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
        const cardfeed_record_t *card);
    /* Ends the document and frees the writer, also after a failure. */
    int (*end)(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
        int rc);
    int (*catalogue)(const cardfeed_catalogue_t *catalogue,
        cardfeed_buf_t *out);
    uint32_t topics; /* of one page of the catalogue */
};

extern const cardfeed_format_t cardfeed_feed_rss;
extern const cardfeed_format_t cardfeed_feed_atom;
extern const cardfeed_format_t cardfeed_feed_json;
extern const cardfeed_format_t cardfeed_feed_html;
extern const cardfeed_format_t cardfeed_feed_opml;

/* By name ("atom"), or NULL. */
const cardfeed_format_t *cardfeed_feed_format(cardfeed_str_t name);

/* All formats, NULL at the end, in the order they are offered. */
extern const cardfeed_format_t *const cardfeed_feed_formats[];

/* format has begin, entry and end. */
int cardfeed_feed_render(const cardfeed_format_t *format,
    const cardfeed_feed_t *feed, cardfeed_buf_t *out, cardfeed_error_t *err);

/* format has catalogue. */
int cardfeed_feed_render_catalogue(const cardfeed_format_t *format,
    const cardfeed_catalogue_t *catalogue, cardfeed_buf_t *out,
    cardfeed_error_t *err);

/* feeds_url SLUG .EXTENSION, appended. */
int cardfeed_feed_topic_url(cardfeed_buf_t *out, cardfeed_str_t feeds_url,
    cardfeed_str_t slug, const char *extension);

/*
 * For other pages of a site: where a topic's feeds are ("all": those of all),
 * in the formats for feed readers, as markup for the head of an HTML document
 * and as the value of a Link header (RFC 8288).  title: "Site: Topic".
 */
int cardfeed_feed_advertise_markup(cardfeed_buf_t *out,
    cardfeed_str_t feeds_url, cardfeed_str_t slug, cardfeed_str_t title);
int cardfeed_feed_advertise_header(cardfeed_buf_t *out,
    cardfeed_str_t feeds_url, cardfeed_str_t slug);

#define CARDFEED_GENERATOR "cardfeed"

#endif /* CARDFEED_FEED_H */
