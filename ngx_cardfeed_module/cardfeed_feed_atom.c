/* feed_atom: Atom 1.0, with Media RSS's elements. */

#include "cardfeed_feed_xml_private.h"

#define ATOM_TYPE "application/atom+xml"


static void
atom_person(cardfeed_writer_t *writer, cardfeed_str_t name,
    cardfeed_str_t uri, cardfeed_str_t email)
{
    cardfeed_feed_xml_start(writer, "author");
    cardfeed_feed_xml_element(writer, "name", name);
    cardfeed_feed_xml_optional(writer, "uri", uri);
    cardfeed_feed_xml_optional(writer, "email", email);
    cardfeed_feed_xml_end(writer);
}


static void
atom_text(cardfeed_writer_t *writer, const char *name, cardfeed_str_t text)
{
    static const cardfeed_feed_xml_attr_t plain[] = {
        {"type", CARDFEED_STR("text")},
    };

    cardfeed_feed_xml_leaf(writer, name, plain, 1, text);
}


static int
atom_begin(cardfeed_writer_t **out, const cardfeed_feed_t *feed,
    cardfeed_buf_t *buf)
{
    int rc;
    cardfeed_writer_t *writer;

    rc = cardfeed_feed_xml_open(out, buf);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    writer = *out;

    cardfeed_feed_xml_start(writer, "feed");
    cardfeed_feed_xml_attr(writer, "xmlns", CARDFEED_FEED_XML_ATOM);
    cardfeed_feed_xml_attr(writer, "xmlns:media", CARDFEED_FEED_XML_MEDIA);
    cardfeed_feed_xml_attr(writer, "xml:lang", feed->language);

    cardfeed_feed_xml_element(writer, "id", feed->id);
    cardfeed_feed_xml_element(writer, "title", feed->title);
    cardfeed_feed_xml_optional(writer, "subtitle", feed->description);
    cardfeed_feed_xml_rfc3339(writer, "updated", feed->updated);
    atom_person(writer, feed->author, CARDFEED_NO_STR, CARDFEED_NO_STR);
    cardfeed_feed_xml_link(writer, "link", CARDFEED_STR("alternate"),
        CARDFEED_STR("text/html"), feed->home_url);
    cardfeed_feed_xml_links(writer, feed, "link",
        CARDFEED_STR(ATOM_TYPE));
    cardfeed_feed_xml_optional(writer, "icon", feed->icon_url);
    cardfeed_feed_xml_optional(writer, "logo", feed->logo_url);
    cardfeed_feed_xml_optional(writer, "rights", feed->rights);
    cardfeed_feed_xml_element(writer, "generator",
        CARDFEED_STR(CARDFEED_GENERATOR));
    cardfeed_feed_xml_newline(writer);

    return writer->rc;
}


static void
atom_authors(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    bool named;
    uint32_t i;
    cardfeed_str_t provider;
    cardfeed_card_author_t author;

    named = false;

    for (i = 0; i < card->nauthors; i++) {
        author = cardfeed_record_author(card, i);

        if (author.name.len == 0) {
            continue;
        }

        if (!cardfeed_feed_email_usable(author.email)) {
            author.email = CARDFEED_NO_STR;
        }

        atom_person(writer, author.name,
            cardfeed_feed_xml_url(writer, feed, author.url), author.email);
        named = true;
    }

    provider = cardfeed_record_field(card, CARDFEED_FIELD_PROVIDER);

    if (!named && provider.len) {
        atom_person(writer, provider,
            cardfeed_feed_xml_url(writer, feed,
                cardfeed_record_field(card, CARDFEED_FIELD_PROVIDER_URL)),
            CARDFEED_NO_STR);
    }
}


static void
atom_categories(cardfeed_writer_t *writer, const cardfeed_record_t *card)
{
    uint32_t i;
    cardfeed_card_topic_t topic;

    for (i = 0; i < card->ntopics; i++) {
        topic = cardfeed_record_topic(card, i);

        const cardfeed_feed_xml_attr_t attrs[] = {
            {"term", topic.slug},
            {"label", topic.name},
        };

        cardfeed_feed_xml_leaf(writer, "category", attrs, 2,
            CARDFEED_NO_STR);
    }
}


static void
atom_enclosure(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    char digits[CARDFEED_FEED_XML_DIGITS];
    cardfeed_str_t url, length;

    url = cardfeed_feed_xml_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_ENCLOSURE_URL));

    if (url.len == 0) {
        return;
    }

    length = card->enclosure_length
        ? cardfeed_feed_xml_number(digits, card->enclosure_length)
        : CARDFEED_NO_STR;

    const cardfeed_feed_xml_attr_t attrs[] = {
        {"rel", CARDFEED_STR("enclosure")},
        {"type", cardfeed_feed_media_type(card)},
        {"href", url},
        {"length", length},
    };

    cardfeed_feed_xml_leaf(writer, "link", attrs, 4, CARDFEED_NO_STR);
}


static int
atom_entry(cardfeed_writer_t *writer, const cardfeed_feed_t *feed,
    const cardfeed_record_t *card)
{
    bool linked;
    cardfeed_str_t link, title, excerpt;

    title = cardfeed_record_field(card, CARDFEED_FIELD_TITLE);
    excerpt = cardfeed_record_field(card, CARDFEED_FIELD_EXCERPT);

    cardfeed_feed_xml_start(writer, "entry");
    cardfeed_feed_xml_element(writer, "id",
        cardfeed_record_field(card, CARDFEED_FIELD_IDENTITY));
    atom_text(writer, "title", title);

    link = cardfeed_feed_xml_url(writer, feed,
        cardfeed_record_field(card, CARDFEED_FIELD_LINK));
    linked = link.len != 0;

    if (linked) {
        cardfeed_feed_xml_link(writer, "link", CARDFEED_STR("alternate"),
            CARDFEED_NO_STR, link);
    }

    cardfeed_feed_xml_rfc3339(writer, "published", card->published);
    cardfeed_feed_xml_rfc3339(writer, "updated",
        cardfeed_feed_updated(card));

    if (excerpt.len) {
        atom_text(writer, "summary", excerpt);
    }

    if (!linked) {
        atom_text(writer, "content", excerpt.len ? excerpt : title);
    }

    atom_authors(writer, feed, card);
    atom_categories(writer, card);
    atom_enclosure(writer, feed, card);
    cardfeed_feed_xml_media(writer, feed, card);

    cardfeed_feed_xml_end(writer);
    cardfeed_feed_xml_newline(writer);

    return cardfeed_feed_xml_status(writer);
}


static int
atom_end(cardfeed_writer_t *writer, const cardfeed_feed_t *feed, int rc)
{
    (void) feed;

    return cardfeed_feed_xml_close(writer, rc);
}


const cardfeed_format_t cardfeed_feed_atom = {
    .name = "atom",
    .content_type = ATOM_TYPE,
    .title = "Atom 1.0",
    .subscribe = true,
    .begin = atom_begin,
    .entry = atom_entry,
    .end = atom_end,
};
