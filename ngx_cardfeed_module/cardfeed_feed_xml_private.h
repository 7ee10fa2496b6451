/*
 * feed_xml_private: the writer of the XML formats: libxml2's text writer over
 * a buffer of ours, and the elements the formats have in common.
 *
 * Containers are libxml2's to open and close.  A leaf is put together here
 * and given to it as one piece of markup: that takes half the time.
 *
 * Ownership: what is written is copied; the writer owns libxml2's and its
 *   two scratch buffers, all gone with cardfeed_feed_xml_close().
 * Errors: the first failure is remembered in rc and everything after it does
 *   nothing: a row of calls is checked once, at its end.
 * Text: any bytes; see cardfeed_feed_escape().
 */

#ifndef CARDFEED_FEED_XML_PRIVATE_H
#define CARDFEED_FEED_XML_PRIVATE_H

#include "cardfeed_feed_private.h"

#include <libxml/xmlwriter.h>

#define CARDFEED_FEED_XML_ATOM CARDFEED_STR("http://www.w3.org/2005/Atom")
#define CARDFEED_FEED_XML_DC CARDFEED_STR("http://purl.org/dc/elements/1.1/")
#define CARDFEED_FEED_XML_MEDIA CARDFEED_STR("http://search.yahoo.com/mrss/")
#define CARDFEED_FEED_XML_FH                                                 \
    CARDFEED_STR("http://purl.org/syndication/history/1.0")

struct cardfeed_writer_s {
    xmlTextWriterPtr xml;
    cardfeed_buf_t *out;
    cardfeed_buf_t markup;  /* what libxml2 is given */
    cardfeed_buf_t scratch; /* what a format puts together */
    int rc;
};

typedef struct {
    const char *name;
    cardfeed_str_t value; /* empty: no such attribute */
} cardfeed_feed_xml_attr_t;

/* Begins a document in buf.  *out is to be closed even after a failure, unless
 * it is NULL. */
int cardfeed_feed_xml_open(cardfeed_writer_t **out, cardfeed_buf_t *buf);

/* Ends the document if rc is OK; frees the writer; returns the first
 * failure. */
int cardfeed_feed_xml_close(cardfeed_writer_t *writer, int rc);

/* The first failure up to now, also of the document's buffer. */
int cardfeed_feed_xml_status(const cardfeed_writer_t *writer);

/* A container. */
void cardfeed_feed_xml_start(cardfeed_writer_t *writer, const char *name);
void cardfeed_feed_xml_attr(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t value);
void cardfeed_feed_xml_end(cardfeed_writer_t *writer);

/* A leaf: attributes, and text or nothing. */
void cardfeed_feed_xml_leaf(cardfeed_writer_t *writer, const char *name,
    const cardfeed_feed_xml_attr_t *attrs, size_t nattrs,
    cardfeed_str_t text);
void cardfeed_feed_xml_element(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t text);
/* Nothing where the text is empty. */
void cardfeed_feed_xml_optional(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t text);
/* The same, for plain text in an element that holds HTML. */
void cardfeed_feed_xml_html(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t text);
void cardfeed_feed_xml_rfc3339(cardfeed_writer_t *writer, const char *name,
    int64_t time);
void cardfeed_feed_xml_rfc822(cardfeed_writer_t *writer, const char *name,
    int64_t time);

/* A line's end between elements. */
void cardfeed_feed_xml_newline(cardfeed_writer_t *writer);

#define CARDFEED_FEED_XML_DIGITS 20

/* n in decimal; the string lies in digits. */
cardfeed_str_t cardfeed_feed_xml_number(char digits[CARDFEED_FEED_XML_DIGITS],
    uint64_t n);

/* cardfeed_feed_url() of a field, in the writer's scratch. */
cardfeed_str_t cardfeed_feed_xml_url(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, cardfeed_str_t url);

/* An Atom link; type may be empty. */
void cardfeed_feed_xml_link(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t rel, cardfeed_str_t type, cardfeed_str_t href);

/* self, hub, pages and archives as Atom links called name; fh:complete and
 * fh:archive. */
void cardfeed_feed_xml_links(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, const char *name, cardfeed_str_t type);

/* media:content and media:thumbnail of a card that has an image. */
void cardfeed_feed_xml_media(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, const cardfeed_record_t *card);

#endif /* CARDFEED_FEED_XML_PRIVATE_H */
