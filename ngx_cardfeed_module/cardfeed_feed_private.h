/*
 * feed_private: what the formats of the feed room share.
 */

#ifndef CARDFEED_FEED_PRIVATE_H
#define CARDFEED_FEED_PRIVATE_H

#include <cardfeed/feed.h>

/*
 * A card's URL as a document may show it: absolute ones as they are, others
 * resolved against the feed's base; *out is empty where the card has none or
 * an unusable one.  *out may lie in scratch, which is reset.
 * CARDFEED_NOMEM.
 */
int cardfeed_feed_url(const cardfeed_feed_t *feed, cardfeed_str_t url,
    cardfeed_buf_t *scratch, cardfeed_str_t *out);

/* The media type of a card's enclosure; a general one where it has none. */
cardfeed_str_t cardfeed_feed_media_type(const cardfeed_record_t *card);

/* Something before and behind one "@", and nothing that ends an address. */
bool cardfeed_feed_email_usable(cardfeed_str_t email);

/* The feed's logo, else its icon, as RSS may show it: no SVG.  Or empty. */
cardfeed_str_t cardfeed_feed_bitmap(const cardfeed_feed_t *feed);

/* updated, or published where that is unknown. */
int64_t cardfeed_feed_updated(const cardfeed_record_t *card);

/* "12 articles", appended. */
int cardfeed_feed_count(cardfeed_buf_t *out, uint32_t count);

typedef enum {
    CARDFEED_FEED_TEXT,      /* plain text in an XML element */
    CARDFEED_FEED_ATTRIBUTE, /* plain text between double quotes */
    CARDFEED_FEED_HTML,      /* plain text as HTML in an XML element */
    CARDFEED_FEED_STRING     /* plain text in a JSON string */
} cardfeed_feed_place_t;

/*
 * Appends s as a document may hold it.  s may be any bytes: characters XML
 * cannot hold are dropped, malformed bytes become U+FFFD, so that no card can
 * break a document, and all formats show the same text.
 */
void cardfeed_feed_escape(cardfeed_buf_t *out, cardfeed_str_t s,
    cardfeed_feed_place_t place);

/* An element of an HTML head that offers a feed: "title (RSS 2.0)". */
void cardfeed_feed_alternate(cardfeed_buf_t *out,
    const cardfeed_format_t *format, cardfeed_str_t url,
    cardfeed_str_t title);

#endif /* CARDFEED_FEED_PRIVATE_H */
