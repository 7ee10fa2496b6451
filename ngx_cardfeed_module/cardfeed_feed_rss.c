/* feed_rss: RSS 2.0, with Atom's, Dublin Core's and Media RSS's elements. */

#include "cardfeed_feed_xml_private.h"

#include <string.h>

#define RSS_TYPE "application/rss+xml"


static void
rss_image(cardfeed_writer_t *writer, const cardfeed_feed_t *feed)
{
    cardfeed_str_t url;

    url = cardfeed_feed_bitmap(feed);

    if (url.len) {
        cardfeed_feed_xml_start(writer, "image");
        cardfeed_feed_xml_element(writer, "url", url);
        cardfeed_feed_xml_element(writer, "title", feed->title);
        cardfeed_feed_xml_element(writer, "link", feed->home_url);
        cardfeed_feed_xml_end(writer);
    }
}


static int
rss_begin(cardfeed_writer_t **out, const cardfeed_feed_t *feed,
    cardfeed_buf_t *buf)
{
    int rc;
    char ttl[CARDFEED_FEED_XML_DIGITS];
    cardfeed_writer_t *writer;

    rc = cardfeed_feed_xml_open(out, buf);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    writer = *out;

    cardfeed_feed_xml_start(writer, "rss");
    cardfeed_feed_xml_attr(writer, "version", CARDFEED_STR("2.0"));
    cardfeed_feed_xml_attr(writer, "xmlns:atom", CARDFEED_FEED_XML_ATOM);
    cardfeed_feed_xml_attr(writer, "xmlns:dc", CARDFEED_FEED_XML_DC);
    cardfeed_feed_xml_attr(writer, "xmlns:media", CARDFEED_FEED_XML_MEDIA);

    cardfeed_feed_xml_start(writer, "channel");
    cardfeed_feed_xml_element(writer, "title", feed->title);
    cardfeed_feed_xml_element(writer, "link", feed->home_url);
    cardfeed_feed_xml_element(writer, "description", feed->description);
    cardfeed_feed_xml_optional(writer, "language", feed->language);
    cardfeed_feed_xml_optional(writer, "copyright", feed->rights);
    cardfeed_feed_xml_element(writer, "generator",
        CARDFEED_STR(CARDFEED_GENERATOR));
    cardfeed_feed_xml_rfc822(writer, "lastBuildDate", feed->updated);

    if (feed->ttl) {
        cardfeed_feed_xml_element(writer, "ttl",
            cardfeed_feed_xml_number(ttl, feed->ttl));
    }

    rss_image(writer, feed);
    cardfeed_feed_xml_links(writer, feed, "atom:link",
        CARDFEED_STR(RSS_TYPE));
    cardfeed_feed_xml_newline(writer);

    return writer->rc;
}


/* "a@b (Name)"; what would end the comment early is left out. */
static void
rss_email(cardfeed_writer_t *writer, const cardfeed_card_author_t *author)
{
    size_t i;
    cardfeed_buf_t *text;

    text = &writer->scratch;
    cardfeed_buf_reset(text);
    cardfeed_buf_str(text, author->email);

    if (author->name.len) {
        cardfeed_buf_cstr(text, " (");

        for (i = 0; i < author->name.len; i++) {
            if (strchr("()\\", author->name.data[i]) == NULL) {
                cardfeed_buf_char(text, author->name.data[i]);
            }
        }

        cardfeed_buf_char(text, ')');
    }

    cardfeed_feed_xml_element(writer, "author", cardfeed_buf_view(text));
}


static void
rss_creators(cardfeed_writer_t *writer, const cardfeed_record_t *card)
{
    bool named, addressed;
    uint32_t i;
    cardfeed_card_author_t author;

    named = false;
    addressed = false;

    for (i = 0; i < card->nauthors; i++) {
        author = cardfeed_record_author(card, i);

        if (author.name.len) {
            cardfeed_feed_xml_element(writer, "dc:creator", author.name);
            named = true;
        }

        /* An item has one author at most. */

        if (!addressed && cardfeed_feed_email_usable(author.email)) {
            rss_email(writer, &author);
            addressed = true;
        }
    }

    if (!named) {
        cardfeed_feed_xml_optional(writer, "dc:creator",
            cardfeed_record_field(card, CARDFEED_FIELD_PROVIDER));
    }
}


static void
rss_enclosure(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    char length[CARDFEED_FEED_XML_DIGITS];
    cardfeed_str_t url;

    url = cardfeed_feed_xml_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_ENCLOSURE_URL));

    if (url.len == 0) {
        return;
    }

    const cardfeed_feed_xml_attr_t attrs[] = {
        {"url", url},
        {"type", cardfeed_feed_media_type(card)},
        {"length", cardfeed_feed_xml_number(length, card->enclosure_length)},
    };

    cardfeed_feed_xml_leaf(writer, "enclosure", attrs, 3, CARDFEED_NO_STR);
}


static int
rss_entry(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    static const cardfeed_feed_xml_attr_t no_link[] = {
        {"isPermaLink", CARDFEED_STR("false")},
    };

    uint32_t i;

    cardfeed_feed_xml_start(writer, "item");
    cardfeed_feed_xml_element(writer, "title",
        cardfeed_record_field(card, CARDFEED_FIELD_TITLE));
    cardfeed_feed_xml_optional(writer, "link",
        cardfeed_feed_xml_url(writer, feed,
            cardfeed_record_field(card, CARDFEED_FIELD_LINK)));
    cardfeed_feed_xml_html(writer, "description",
        cardfeed_record_field(card, CARDFEED_FIELD_EXCERPT));
    cardfeed_feed_xml_leaf(writer, "guid", no_link, 1,
        cardfeed_record_field(card, CARDFEED_FIELD_IDENTITY));
    cardfeed_feed_xml_rfc822(writer, "pubDate", card->published);
    cardfeed_feed_xml_rfc3339(writer, "atom:updated",
        cardfeed_feed_updated(card));

    rss_creators(writer, card);

    for (i = 0; i < card->ntopics; i++) {
        cardfeed_feed_xml_element(writer, "category",
            cardfeed_record_topic(card, i).name);
    }

    rss_enclosure(writer, feed, card);
    cardfeed_feed_xml_media(writer, feed, card);

    cardfeed_feed_xml_end(writer);
    cardfeed_feed_xml_newline(writer);

    return cardfeed_feed_xml_status(writer);
}


static int
rss_end(cardfeed_writer_t *writer, const cardfeed_feed_t *feed, int rc)
{
    (void) feed;

    return cardfeed_feed_xml_close(writer, rc);
}


const cardfeed_format_t cardfeed_feed_rss = {
    .name = "rss",
    .content_type = RSS_TYPE,
    .title = "RSS 2.0",
    .subscribe = true,
    .begin = rss_begin,
    .entry = rss_entry,
    .end = rss_end,
};
