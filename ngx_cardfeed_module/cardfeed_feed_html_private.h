/*
 * feed_html_private: what the pages for people have in common.
 *
 * A page is put together in the document's buffer.  It is well-formed XML as
 * well, so that its tests can read it strictly.
 *
 * Text: any bytes.  Whatever a page did not write itself goes through
 *   cardfeed_feed_html_put() and can be no markup, wherever it stands.
 * Errors: the first failure is remembered; a row of calls is checked once, at
 *   its end, with cardfeed_feed_html_status().
 * Policy: no script, no form, no frame, one style; see
 *   CARDFEED_FEED_HTML_POLICY.
 */

#ifndef CARDFEED_FEED_HTML_PRIVATE_H
#define CARDFEED_FEED_HTML_PRIVATE_H

#include "cardfeed_feed_private.h"
#include "cardfeed_feed_html_style.h"

struct cardfeed_writer_s {
    cardfeed_buf_t *out;
    cardfeed_buf_t scratch; /* a URL put together */
    int rc;
};

/* The hash is that of the style; the unit tests know the right one. */
#define CARDFEED_FEED_HTML_POLICY                                            \
    "default-src 'none'; img-src http: https:; style-src 'sha256-"           \
    CARDFEED_FEED_HTML_STYLE_HASH                                            \
    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

typedef struct {
    cardfeed_str_t title;
    cardfeed_str_t home_url;
    cardfeed_str_t self_url;
    cardfeed_str_t month;       /* "2024-03"; the rest may be empty, too */
    cardfeed_str_t description;
    cardfeed_str_t feeds_url;   /* to link to; empty: this is it */
    cardfeed_str_t language;
    cardfeed_str_t icon_url;
} cardfeed_feed_html_page_t;

void cardfeed_feed_html_init(cardfeed_writer_t *writer, cardfeed_buf_t *out);
void cardfeed_feed_html_free(cardfeed_writer_t *writer);

/* The first failure up to now, also of the document's buffer. */
int cardfeed_feed_html_status(const cardfeed_writer_t *writer);

/* Markup of our own. */
void cardfeed_feed_html_raw(cardfeed_writer_t *writer, const char *markup);

/* before, text escaped, after: in an element, or between double quotes. */
void cardfeed_feed_html_put(cardfeed_writer_t *writer, const char *before,
    cardfeed_str_t text, const char *after);

/* Nothing where the text is empty. */
void cardfeed_feed_html_optional(cardfeed_writer_t *writer,
    const char *before, cardfeed_str_t text, const char *after);

/* "2 March 2024" of "2024-03-02…", "March 2024" of "2024-03". */
void cardfeed_feed_html_date(cardfeed_writer_t *writer, cardfeed_str_t date);

/* cardfeed_feed_topic_url(), in the writer's scratch. */
cardfeed_str_t cardfeed_feed_html_topic_url(cardfeed_writer_t *writer,
    cardfeed_str_t feeds_url, cardfeed_str_t slug,
    const cardfeed_format_t *format);

/* The page up to its alternates, which follow. */
void cardfeed_feed_html_head(cardfeed_writer_t *writer,
    const cardfeed_feed_html_page_t *page);
void cardfeed_feed_html_alternate(cardfeed_writer_t *writer,
    const cardfeed_feed_html_page_t *page, const cardfeed_format_t *format,
    cardfeed_str_t url);

/* Style, and the header, which stays open. */
void cardfeed_feed_html_header(cardfeed_writer_t *writer,
    const cardfeed_feed_html_page_t *page);

/* A list of feeds to subscribe to: its items stand between start and end. */
void cardfeed_feed_html_feeds_start(cardfeed_writer_t *writer);
void cardfeed_feed_html_feeds_item(cardfeed_writer_t *writer,
    const cardfeed_format_t *format, cardfeed_str_t url);
void cardfeed_feed_html_feeds_end(cardfeed_writer_t *writer);

/* Links between pages, in a nav of their own; empty ones are left out. */
typedef struct {
    const char *rel;
    const char *text;
    cardfeed_str_t url;
} cardfeed_feed_html_turn_t;

/* The footer, and the end of the document. */
void cardfeed_feed_html_footer(cardfeed_writer_t *writer,
    const cardfeed_feed_html_turn_t *turns, size_t nturns,
    cardfeed_str_t rights);

/* The format's entry and catalogue. */
int cardfeed_feed_html_entry(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, const cardfeed_record_t *card);
int cardfeed_feed_html_catalogue(const cardfeed_catalogue_t *catalogue,
    cardfeed_buf_t *out);

#endif /* CARDFEED_FEED_HTML_PRIVATE_H */
