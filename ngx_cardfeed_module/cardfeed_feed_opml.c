/* feed_opml: the catalogue of topics as OPML 2.0, for feed readers. */

#include "cardfeed_feed_xml_private.h"

#define OPML_DOCS CARDFEED_STR("http://opml.org/spec2.opml")
#define OPML_MORE CARDFEED_STR("More topics")
#define OPML_TOPICS 5000


static void
opml_head(cardfeed_writer_t *writer, const cardfeed_catalogue_t *catalogue)
{
    cardfeed_feed_xml_start(writer, "head");
    cardfeed_feed_xml_element(writer, "title", catalogue->title);

    if (catalogue->updated != CARDFEED_NO_TIME) {
        cardfeed_feed_xml_rfc822(writer, "dateModified", catalogue->updated);
    }

    cardfeed_feed_xml_optional(writer, "ownerName", catalogue->author);
    cardfeed_feed_xml_element(writer, "docs", OPML_DOCS);
    cardfeed_feed_xml_end(writer);
    cardfeed_feed_xml_newline(writer);
}


/* What was appended between two places; something was. */
static cardfeed_str_t
opml_part(const cardfeed_buf_t *scratch, size_t from, size_t to)
{
    return (cardfeed_str_t){.data = scratch->data + from, .len = to - from};
}


static void
opml_feed(cardfeed_writer_t *writer, const cardfeed_catalogue_t *catalogue,
    const cardfeed_topic_t *topic, cardfeed_str_t name)
{
    size_t html, count;
    cardfeed_buf_t *scratch;

    scratch = &writer->scratch;
    cardfeed_buf_reset(scratch);

    cardfeed_feed_topic_url(scratch, catalogue->feeds_url, topic->slug,
        cardfeed_feed_rss.name);
    html = scratch->len;
    cardfeed_feed_topic_url(scratch, catalogue->feeds_url, topic->slug,
        cardfeed_feed_html.name);
    count = scratch->len;
    cardfeed_feed_count(scratch, topic->count);

    if (scratch->failed != CARDFEED_OK) {
        writer->rc = scratch->failed;
        return;
    }

    const cardfeed_feed_xml_attr_t attrs[] = {
        {"type", CARDFEED_STR("rss")},
        {"text", name},
        {"title", name},
        {"xmlUrl", opml_part(scratch, 0, html)},
        {"htmlUrl", opml_part(scratch, html, count)},
        {"description", opml_part(scratch, count, scratch->len)},
        {"language", catalogue->language},
    };

    cardfeed_feed_xml_leaf(writer, "outline", attrs,
        sizeof(attrs) / sizeof(attrs[0]), CARDFEED_NO_STR);
    cardfeed_feed_xml_newline(writer);
}


/* A reader that knows no inclusion still has the topics of this document. */
static void
opml_include(cardfeed_writer_t *writer, cardfeed_str_t url)
{
    const cardfeed_feed_xml_attr_t attrs[] = {
        {"type", CARDFEED_STR("include")},
        {"text", OPML_MORE},
        {"url", url},
    };

    cardfeed_feed_xml_leaf(writer, "outline", attrs, 3, CARDFEED_NO_STR);
    cardfeed_feed_xml_newline(writer);
}


static int
opml_catalogue(const cardfeed_catalogue_t *catalogue, cardfeed_buf_t *out)
{
    int rc;
    size_t i;
    cardfeed_writer_t *writer;

    rc = cardfeed_feed_xml_open(&writer, out);
    if (writer == NULL) {
        return rc;
    }

    cardfeed_feed_xml_start(writer, "opml");
    cardfeed_feed_xml_attr(writer, "version", CARDFEED_STR("2.0"));
    cardfeed_feed_xml_newline(writer);
    opml_head(writer, catalogue);

    cardfeed_feed_xml_start(writer, "body");
    cardfeed_feed_xml_newline(writer);

    /* a body without any outline is none */

    if (catalogue->first_url.len == 0
        || (catalogue->ntopics == 0 && catalogue->next_url.len == 0))
    {
        opml_feed(writer, catalogue, &catalogue->all, catalogue->title);
    }

    for (i = 0; i < catalogue->ntopics; i++) {
        opml_feed(writer, catalogue, &catalogue->topics[i],
            catalogue->topics[i].name);
    }

    if (catalogue->next_url.len) {
        opml_include(writer, catalogue->next_url);
    }

    return cardfeed_feed_xml_close(writer, cardfeed_feed_xml_status(writer));
}


const cardfeed_format_t cardfeed_feed_opml = {
    .name = "opml",
    .content_type = "text/x-opml",
    .title = "OPML 2.0",
    .catalogue = opml_catalogue,
    .topics = OPML_TOPICS,
};
