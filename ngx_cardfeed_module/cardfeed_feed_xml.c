/* feed_xml: libxml2's text writer over a buffer, and common elements. */

#include "cardfeed_feed_xml_private.h"

#include <limits.h>
#include <stdlib.h>


static int
xml_write(void *context, const char *data, int len)
{
    /*
     * A buffer that is full says so at the end: libxml2 would print to
     * standard error what it is told here.
     */

    (void) cardfeed_buf_append(context, data, (size_t) len);

    return len;
}


static void
xml_check(cardfeed_writer_t *writer, int n)
{
    if (n < 0 && writer->rc == CARDFEED_OK) {
        writer->rc = CARDFEED_NOMEM;
    }
}


int
cardfeed_feed_xml_open(cardfeed_writer_t **out, cardfeed_buf_t *buf)
{
    xmlOutputBufferPtr io;
    cardfeed_writer_t *writer;

    *out = NULL;

    writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return CARDFEED_NOMEM;
    }

    io = xmlOutputBufferCreateIO(xml_write, NULL, buf, NULL);
    if (io == NULL) {
        free(writer);
        return CARDFEED_NOMEM;
    }

    writer->xml = xmlNewTextWriter(io);
    if (writer->xml == NULL) {
        xmlOutputBufferClose(io);
        free(writer);
        return CARDFEED_NOMEM;
    }

    writer->out = buf;
    cardfeed_buf_init(&writer->markup, buf->max);
    cardfeed_buf_init(&writer->scratch, buf->max);

    xml_check(writer,
        xmlTextWriterStartDocument(writer->xml, NULL, "UTF-8", NULL));

    *out = writer;

    return writer->rc;
}


int
cardfeed_feed_xml_close(cardfeed_writer_t *writer, int rc)
{
    if (rc == CARDFEED_OK) {
        xml_check(writer, xmlTextWriterEndDocument(writer->xml));
        xml_check(writer, xmlTextWriterFlush(writer->xml));
        rc = cardfeed_feed_xml_status(writer);
    }

    xmlFreeTextWriter(writer->xml);
    cardfeed_buf_free(&writer->markup);
    cardfeed_buf_free(&writer->scratch);
    free(writer);

    return rc;
}


int
cardfeed_feed_xml_status(const cardfeed_writer_t *writer)
{
    return writer->rc != CARDFEED_OK ? writer->rc : writer->out->failed;
}


void
cardfeed_feed_xml_start(cardfeed_writer_t *writer, const char *name)
{
    if (writer->rc == CARDFEED_OK) {
        xml_check(writer,
            xmlTextWriterStartElement(writer->xml, BAD_CAST name));
    }
}


void
cardfeed_feed_xml_end(cardfeed_writer_t *writer)
{
    if (writer->rc == CARDFEED_OK) {
        xml_check(writer, xmlTextWriterEndElement(writer->xml));
    }
}


/* Gives libxml2 the markup there is. */
static void
xml_flush(cardfeed_writer_t *writer)
{
    cardfeed_buf_t *markup;

    markup = &writer->markup;

    if (markup->failed != CARDFEED_OK || markup->len > INT_MAX) {
        writer->rc = CARDFEED_NOMEM;
    }

    if (writer->rc == CARDFEED_OK) {
        xml_check(writer,
            xmlTextWriterWriteRawLen(writer->xml, BAD_CAST markup->data,
                (int) markup->len));
    }

    cardfeed_buf_reset(markup);
}


void
cardfeed_feed_xml_attr(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t value)
{
    if (writer->rc != CARDFEED_OK || value.len == 0) {
        return;
    }

    xml_check(writer,
        xmlTextWriterStartAttribute(writer->xml, BAD_CAST name));

    cardfeed_feed_escape(&writer->markup, value,
        CARDFEED_FEED_ATTRIBUTE);
    xml_flush(writer);

    xml_check(writer, xmlTextWriterEndAttribute(writer->xml));
}


static void
xml_leaf(cardfeed_writer_t *writer, const char *name,
    const cardfeed_feed_xml_attr_t *attrs, size_t nattrs,
    cardfeed_str_t text, cardfeed_feed_place_t place)
{
    size_t i;
    cardfeed_buf_t *markup;

    if (writer->rc != CARDFEED_OK) {
        return;
    }

    markup = &writer->markup;

    cardfeed_buf_char(markup, '<');
    cardfeed_buf_cstr(markup, name);

    for (i = 0; i < nattrs; i++) {
        if (attrs[i].value.len) {
            cardfeed_buf_char(markup, ' ');
            cardfeed_buf_cstr(markup, attrs[i].name);
            cardfeed_buf_cstr(markup, "=\"");
            cardfeed_feed_escape(markup, attrs[i].value,
                CARDFEED_FEED_ATTRIBUTE);
            cardfeed_buf_char(markup, '"');
        }
    }

    if (text.len) {
        cardfeed_buf_char(markup, '>');
        cardfeed_feed_escape(markup, text, place);
        cardfeed_buf_cstr(markup, "</");
        cardfeed_buf_cstr(markup, name);
        cardfeed_buf_char(markup, '>');

    } else {
        cardfeed_buf_cstr(markup, "/>");
    }

    xml_flush(writer);
}


void
cardfeed_feed_xml_leaf(cardfeed_writer_t *writer, const char *name,
    const cardfeed_feed_xml_attr_t *attrs, size_t nattrs, cardfeed_str_t text)
{
    xml_leaf(writer, name, attrs, nattrs, text, CARDFEED_FEED_TEXT);
}


void
cardfeed_feed_xml_element(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t text)
{
    xml_leaf(writer, name, NULL, 0, text, CARDFEED_FEED_TEXT);
}


void
cardfeed_feed_xml_optional(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t text)
{
    if (text.len) {
        xml_leaf(writer, name, NULL, 0, text, CARDFEED_FEED_TEXT);
    }
}


void
cardfeed_feed_xml_html(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t text)
{
    if (text.len) {
        xml_leaf(writer, name, NULL, 0, text, CARDFEED_FEED_HTML);
    }
}


void
cardfeed_feed_xml_rfc3339(cardfeed_writer_t *writer, const char *name,
    int64_t time)
{
    char text[CARDFEED_RFC3339_LEN + 1];

    cardfeed_date_rfc3339(text, time == CARDFEED_NO_TIME ? 0 : time);
    cardfeed_feed_xml_element(writer, name, cardfeed_str_of(text));
}


void
cardfeed_feed_xml_rfc822(cardfeed_writer_t *writer, const char *name,
    int64_t time)
{
    char text[CARDFEED_RFC822_LEN + 1];

    cardfeed_date_rfc822(text, time == CARDFEED_NO_TIME ? 0 : time);
    cardfeed_feed_xml_element(writer, name, cardfeed_str_of(text));
}


void
cardfeed_feed_xml_newline(cardfeed_writer_t *writer)
{
    if (writer->rc == CARDFEED_OK) {
        cardfeed_buf_char(&writer->markup, '\n');
        xml_flush(writer);
    }
}


cardfeed_str_t
cardfeed_feed_xml_number(char digits[CARDFEED_FEED_XML_DIGITS], uint64_t n)
{
    size_t at;

    at = CARDFEED_FEED_XML_DIGITS;

    do {
        digits[--at] = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    return (cardfeed_str_t){
        .data = digits + at,
        .len = CARDFEED_FEED_XML_DIGITS - at,
    };
}


cardfeed_str_t
cardfeed_feed_xml_url(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    cardfeed_str_t url)
{
    cardfeed_str_t absolute;

    xml_check(writer,
        cardfeed_feed_url(feed, url, &writer->scratch, &absolute));

    return absolute;
}


void
cardfeed_feed_xml_link(cardfeed_writer_t *writer, const char *name,
    cardfeed_str_t rel, cardfeed_str_t type, cardfeed_str_t href)
{
    const cardfeed_feed_xml_attr_t attrs[] = {
        {"rel", rel},
        {"type", type},
        {"href", href},
    };

    cardfeed_feed_xml_leaf(writer, name, attrs, 3, CARDFEED_NO_STR);
}


void
cardfeed_feed_xml_links(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, const char *name, cardfeed_str_t type)
{
    static const cardfeed_feed_xml_attr_t fh[] = {
        {"xmlns:fh", CARDFEED_FEED_XML_FH},
    };

    size_t i;

    cardfeed_feed_xml_link(writer, name, CARDFEED_STR("self"), type,
        feed->self_url);

    if (feed->hub_url.len) {
        cardfeed_feed_xml_link(writer, name, CARDFEED_STR("hub"),
            CARDFEED_NO_STR, feed->hub_url);
    }

    if (feed->complete) {
        cardfeed_feed_xml_leaf(writer, "fh:complete", fh, 1,
            CARDFEED_NO_STR);
        return;
    }

    if (feed->archive) {
        cardfeed_feed_xml_leaf(writer, "fh:archive", fh, 1, CARDFEED_NO_STR);
    }

    const struct {
        cardfeed_str_t rel;
        cardfeed_str_t url;
    } links[] = {
        {CARDFEED_STR("first"), feed->first_url},
        {CARDFEED_STR("next"), feed->next_url},
        {CARDFEED_STR("current"), feed->current_url},
        {CARDFEED_STR("prev-archive"), feed->prev_archive_url},
        {CARDFEED_STR("next-archive"), feed->next_archive_url},
    };

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (links[i].url.len) {
            cardfeed_feed_xml_link(writer, name, links[i].rel, type,
                links[i].url);
        }
    }
}


static cardfeed_str_t
xml_size(char digits[CARDFEED_FEED_XML_DIGITS], uint32_t size)
{
    return size ? cardfeed_feed_xml_number(digits, size) : CARDFEED_NO_STR;
}


void
cardfeed_feed_xml_media(cardfeed_writer_t *writer,
    const cardfeed_feed_t *feed, const cardfeed_record_t *card)
{
    char width[CARDFEED_FEED_XML_DIGITS], height[CARDFEED_FEED_XML_DIGITS];
    cardfeed_str_t url;

    url = cardfeed_feed_xml_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_IMAGE_URL));

    if (url.len == 0) {
        return;
    }

    const cardfeed_feed_xml_attr_t attrs[] = {
        {"medium", CARDFEED_STR("image")},
        {"url", url},
        {"width", xml_size(width, card->image_width)},
        {"height", xml_size(height, card->image_height)},
    };

    cardfeed_feed_xml_leaf(writer, "media:content", attrs, 4,
        CARDFEED_NO_STR);
    cardfeed_feed_xml_leaf(writer, "media:thumbnail", attrs + 1, 3,
        CARDFEED_NO_STR);
}
