/*
 * html_fixture: a feed with everything a page for people shows, and what every
 * such page has to be.
 */

#ifndef HTML_FIXTURE_H
#define HTML_FIXTURE_H

#include "feed_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include <libxml/HTMLparser.h>

#define FEEDS "https://site.example/feeds/"

#define FIXTURE_HASH 44 /* SHA-256 in base64 */

static const cardfeed_alternate_t fixture_alternates[] = {
    {&cardfeed_feed_rss, CARDFEED_STR(FEEDS "t.rss")},
    {&cardfeed_feed_atom, CARDFEED_STR(FEEDS "t.atom?a=b&c=d")},
    {&cardfeed_feed_json, CARDFEED_STR(FEEDS "t.json")},
    {&cardfeed_feed_html, CARDFEED_STR(FEEDS "t.html")},
};


static inline int
fixture_html_setup(void **state)
{
    int rc;

    rc = fixture_setup(state, &cardfeed_feed_html);

    fixture.feed.self_url = CARDFEED_STR(FEEDS "t.html");
    fixture.feed.feeds_url = CARDFEED_STR(FEEDS);
    fixture.feed.alternates = fixture_alternates;
    fixture.feed.nalternates = 4;

    return rc;
}


/* The only card from now on. */
static inline void
fixture_set(fixture_t *f, const cardfeed_card_t *card)
{
    f->feed.ncards = 0;
    cardfeed_buf_free(&f->bytes[0]);
    fixture_add(f, card);
}


/* A card that has everything. */
static inline cardfeed_card_t
fixture_full_card(void)
{
    static const cardfeed_card_topic_t topics[] = {
        {CARDFEED_STR("C#"), CARDFEED_STR("csharp")},
        {CARDFEED_STR("R&D"), CARDFEED_STR("\xe6\x97\xa5")},
    };
    static const cardfeed_card_author_t authors[] = {
        {CARDFEED_STR("Ann"), CARDFEED_STR("https://ann.example/"),
            CARDFEED_NO_STR},
        {CARDFEED_NO_STR, CARDFEED_NO_STR, CARDFEED_STR("b@bo.example")},
        {CARDFEED_STR("Provider"), CARDFEED_NO_STR, CARDFEED_NO_STR},
    };

    cardfeed_card_t card = fixture_card();

    card.field[CARDFEED_FIELD_EXCERPT] = CARDFEED_STR("AT&T <b>");
    card.field[CARDFEED_FIELD_PROVIDER] = CARDFEED_STR("Provider");
    card.field[CARDFEED_FIELD_IMAGE_URL] = CARDFEED_STR("/i/a.png");
    card.field[CARDFEED_FIELD_ENCLOSURE_URL] =
        CARDFEED_STR("https://x.example/a.mp3?x&y");
    card.field[CARDFEED_FIELD_ENCLOSURE_TYPE] = CARDFEED_STR("audio/mpeg");
    card.enclosure_length = 12399999;
    card.image_width = 1200;
    card.topics = topics;
    card.ntopics = 2;
    card.authors = authors;
    card.nauthors = 3;

    return card;
}


/* The same bytes once more, as a browser reads them rather than strictly. */
static inline void
fixture_read_html(fixture_t *f)
{
    fixture_forget(f);

    f->doc = htmlReadMemory(f->out.data, (int) f->out.len, NULL, "UTF-8",
        HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
    assert_non_null(f->doc);

    f->context = xmlXPathNewContext(f->doc);
    assert_non_null(f->context);
}


static inline void
assert_safe_markup(fixture_t *f)
{
    assert_xpath(f, "count(//script | //iframe | //object | //embed | //form"
                    " | //base | //svg | //math | //template | //frame"
                    " | //input | //video | //audio | //xmp)", "0");
    assert_xpath(f, "count(//style)", "1");
    assert_xpath(f, "count(//title)", "1");
    assert_xpath(f, "count(//h1)", "1");
    assert_xpath(f, "count(//html/*)", "2");
    assert_xpath(f, "count(//meta[@http-equiv])", "0");
    assert_xpath(f, "count(//link[@rel='stylesheet'])", "0");
    assert_xpath(f, "count(//comment() | //processing-instruction())", "0");
    assert_xpath(f, "count(//@*[starts-with(name(), 'on')])", "0");
    assert_xpath(f, "count(//@style | //@srcset | //@action | //@srcdoc"
                    " | //@formaction | //@ping)", "0");
    assert_xpath(f, "count(//@*[name() = 'href' or name() = 'src']"
                    "[not(starts-with(., 'https://')"
                    " or starts-with(., 'http://'))])", "0");
}


/* Strictly and as a browser does; ends with the strict one. */
static inline void
assert_safe(fixture_t *f)
{
    assert_safe_markup(f);
    fixture_read_html(f);
    assert_safe_markup(f);
    fixture_read(f);
}


static inline void
assert_accessible(fixture_t *f)
{
    assert_xpath(f, "count(/html/body/header)", "1");
    assert_xpath(f, "count(/html/body/main)", "1");
    assert_xpath(f, "count(/html/body/footer)", "1");
    assert_xpath(f, "count(//nav[not(@aria-label)])", "0");
    assert_xpath(f, "count(//img[not(@alt)])", "0");
    assert_xpath(f, "count(//a[normalize-space(.) = ''])", "0");
    assert_xpath(f, "count(//ul/*[name() != 'li'])", "0");
    assert_xpath(f, "count(//*[@id = following::*/@id])", "0");
    assert_xpath(f, "count(//@aria-labelledby[not(. = //@id)])", "0");
    assert_xpath(f, "string(//meta[@name='viewport']/@content)",
        "width=device-width, initial-scale=1");
    assert_xpath(f, "string(//meta[@name='color-scheme']/@content)",
        "light dark");
    assert_xpath(f, "string(//meta/@charset)", "utf-8");
}


/* Python's, so that no hash is ours. */
static inline void
fixture_hash(const char *data, size_t len, char hash[FIXTURE_HASH + 1])
{
    char name[] = "/tmp/cardfeed-style-XXXXXX", command[256];
    FILE *file;
    int fd;

    fd = mkstemp(name);
    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, data, len), (ssize_t) len);
    assert_int_equal(close(fd), 0);

    snprintf(command, sizeof(command),
        "python3 -c 'import base64, hashlib, sys\n"
        "data = open(sys.argv[1], \"rb\").read()\n"
        "digest = hashlib.sha256(data).digest()\n"
        "print(base64.b64encode(digest).decode(), end=\"\")' %s",
        name);

    file = popen(command, "r");
    assert_non_null(file);
    assert_non_null(fgets(hash, FIXTURE_HASH + 1, file));
    assert_int_equal(pclose(file), 0);
    assert_int_equal(unlink(name), 0);
}


/* The style of the document as it stands is the one the policy names. */
static inline void
assert_policy_holds(fixture_t *f)
{
    char hash[FIXTURE_HASH + 1], policy[256];
    const char *start, *end;

    start = memmem(f->out.data, f->out.len, "<style>", 7);
    assert_non_null(start);
    start += 7;
    end = memmem(start, f->out.len - (size_t) (start - f->out.data),
        "</style>", 8);
    assert_non_null(end);

    fixture_hash(start, (size_t) (end - start), hash);

    snprintf(policy, sizeof(policy),
        "default-src 'none'; img-src http: https:; "
        "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'",
        hash);

    assert_string_equal(f->format->policy, policy);
}

#endif /* HTML_FIXTURE_H */
