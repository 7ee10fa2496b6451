/* card_finish: what a card is, after all defaults: dates, state, texts,
 * identity. */

#include "cardfeed_card_private.h"

#include <string.h>

#define DATE_LEN 10 /* YYYY-MM-DD */
#define SHOWN 60    /* bytes of a bad value in a message */


static int
bad_value(cardfeed_parser_t *p, unsigned key, const char *what)
{
    const cardfeed_card_value_t *value = &p->values[key];
    cardfeed_str_t shown;
    unsigned line;

    line = cardfeed_card_line(p, value->mark);

    if (value->kind == CARDFEED_VALUE_NESTED) {
        return cardfeed_error_set(p->err, CARDFEED_INVALID, line,
            "%s: a list or mapping is %s", cardfeed_card_keys[key].name.data,
            what);
    }

    shown = cardfeed_text_cut(cardfeed_card_raw(p, value), SHOWN);

    return cardfeed_error_set(p->err, CARDFEED_INVALID, line,
        "%s: \"%.*s\" is %s", cardfeed_card_keys[key].name.data,
        (int) shown.len, shown.data, what);
}


/* Whether a value is there; one of white space only is not. */
static bool
present(const cardfeed_parser_t *p, unsigned key)
{
    const cardfeed_card_value_t *value = &p->values[key];

    return value->kind == CARDFEED_VALUE_NESTED
        || cardfeed_str_trim(cardfeed_card_raw(p, value)).len != 0;
}


static bool
as_boolean(cardfeed_str_t s, bool *yes)
{
    static const struct {
        cardfeed_str_t word;
        bool yes;
    } words[] = {
        {{"true", 4}, true},
        {{"false", 5}, false},
        {{"yes", 3}, true},
        {{"no", 2}, false},
        {{"y", 1}, true},
        {{"n", 1}, false},
        {{"on", 2}, true},
        {{"off", 3}, false},
        {{"1", 1}, true},
        {{"0", 1}, false},
    };

    size_t i;

    s = cardfeed_str_trim(s);

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (cardfeed_str_caseeq(s, words[i].word)) {
            *yes = words[i].yes;
            return true;
        }
    }

    return false;
}


/* `published` is a state, or a date, or neither: false. */
static bool
read_published(cardfeed_parser_t *p, int64_t *date)
{
    cardfeed_str_t s;
    bool yes;

    if (!present(p, CARDFEED_KEY_PUBLISHED)) {
        return true;
    }

    s = cardfeed_card_raw(p, &p->values[CARDFEED_KEY_PUBLISHED]);

    if (as_boolean(s, &yes)) {
        p->card.hidden |= !yes;
        return true;
    }

    return cardfeed_date_parse(s, p->collection->timezone, date)
        == CARDFEED_OK;
}


/*
 * A card is never published because its flag was misspelt.  One that says
 * that it is hidden is, though: refused, its last visible version would stay.
 */
static int
set_hidden(cardfeed_parser_t *p, int64_t *in_published)
{
    static const struct {
        unsigned key;
        bool hides;
    } flags[] = {
        {CARDFEED_KEY_DRAFT, true},
        {CARDFEED_KEY_DELETED, true},
        {CARDFEED_KEY_REMOVED, true},
        {CARDFEED_KEY_FEED, false},
    };

    unsigned unread;
    bool yes, good;
    size_t i;

    unread = CARDFEED_KEYS;
    good = read_published(p, in_published);

    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!present(p, flags[i].key)) {
            continue;
        }

        if (as_boolean(cardfeed_card_raw(p, &p->values[flags[i].key]), &yes))
        {
            p->card.hidden |= yes == flags[i].hides;

        } else if (unread == CARDFEED_KEYS) {
            unread = flags[i].key;
        }
    }

    if (p->card.hidden) {
        return CARDFEED_OK;
    }

    if (unread != CARDFEED_KEYS) {
        return bad_value(p, unread, "neither true nor false");
    }

    return good ? CARDFEED_OK
                : bad_value(p, CARDFEED_KEY_PUBLISHED,
                    "neither true nor false nor a date");
}


/* The first date of values[from..to]; *date stays where there is none.  A
 * hidden card's may be unreadable: then it is not there. */
static int
read_date(cardfeed_parser_t *p, unsigned from, unsigned to, int64_t *date)
{
    unsigned key;

    for (key = from; key <= to; key++) {
        if (!present(p, key)) {
            continue;
        }

        if (cardfeed_date_parse(cardfeed_card_raw(p, &p->values[key]),
                p->collection->timezone, date)
            == CARDFEED_OK)
        {
            return CARDFEED_OK;
        }

        if (!p->card.hidden) {
            return bad_value(p, key, "no date");
        }
    }

    return CARDFEED_OK;
}


static int64_t
file_name_date(const cardfeed_parser_t *p)
{
    cardfeed_str_t name;
    int64_t date;

    name = cardfeed_card_file_name(p->file->path);

    if (name.len <= DATE_LEN || name.data[DATE_LEN] != '-') {
        return CARDFEED_NO_TIME;
    }

    name.len = DATE_LEN;

    return cardfeed_date_parse(name, p->collection->timezone, &date)
            == CARDFEED_OK
        ? date
        : CARDFEED_NO_TIME;
}


static int
set_dates(cardfeed_parser_t *p, int64_t in_published)
{
    cardfeed_card_t *card = &p->card;
    int64_t published, updated, expires;
    int rc;

    published = updated = expires = CARDFEED_NO_TIME;

    rc = read_date(p, CARDFEED_KEY_PUBLISHED_DATE_TIME, CARDFEED_KEY_DATE,
        &published);

    if (rc == CARDFEED_OK) {
        rc = read_date(p, CARDFEED_KEY_UPDATED_DATE_TIME,
            CARDFEED_KEY_UPDATED, &updated);
    }

    if (rc == CARDFEED_OK) {
        rc = read_date(p, CARDFEED_KEY_EXPIRY_DATE, CARDFEED_KEY_EXPIRY_DATE,
            &expires);
    }

    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (published == CARDFEED_NO_TIME) {
        published = in_published;
    }

    if (published == CARDFEED_NO_TIME) {
        published = file_name_date(p);
    }

    if (published == CARDFEED_NO_TIME
        && p->collection->undated == CARDFEED_UNDATED_MTIME)
    {
        published = p->file->mtime;
    }

    card->published = published;
    card->expires = expires;
    card->updated = published;

    if (published != CARDFEED_NO_TIME && updated > published) {
        card->updated = updated;
    }

    return CARDFEED_OK;
}


/* An escape can bring in what no text holds: a sign of a broken tool.  Tabs
 * and line breaks are white space; a hidden card is shown to nobody. */
static int
check_title(cardfeed_parser_t *p)
{
    const cardfeed_card_value_t *value = &p->values[CARDFEED_KEY_TITLE];
    cardfeed_str_t s;
    unsigned char c;
    size_t i;

    s = p->card.hidden ? CARDFEED_NO_STR : cardfeed_card_raw(p, value);

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];

        /* 0xc2 begins the C1 controls, and U+00A0 to U+00BF. */
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f
            || (c == 0xc2 && i + 1 < s.len
                && (unsigned char) s.data[i + 1] < 0xa0))
        {
            return cardfeed_error_set(p->err, CARDFEED_INVALID,
                cardfeed_card_line(p, value->mark),
                "a control character in the title");
        }
    }

    return CARDFEED_OK;
}


/* "index" says nothing: its directory's name does. */
static cardfeed_str_t
title_of_path(cardfeed_parser_t *p)
{
    cardfeed_str_t path, name, dir;

    path = p->file->path;
    name = cardfeed_card_file_name(path);

    cardfeed_buf_reset(&p->work);

    if (name.len < path.len
        && cardfeed_str_caseeq(cardfeed_card_stem(name),
            CARDFEED_STR("index")))
    {
        path.len -= name.len + 1;
        dir = cardfeed_card_file_name(path);

        /* An extension, so that none of the name is taken for one. */
        cardfeed_buf_str(&p->work, dir);
        cardfeed_buf_str(&p->work, cardfeed_card_extension(name));

    } else {
        cardfeed_buf_str(&p->work, name);
    }

    cardfeed_buf_reset(&p->scratch);

    if (cardfeed_text_words(&p->scratch, cardfeed_buf_view(&p->work))
        != CARDFEED_OK)
    {
        p->failed = CARDFEED_NOMEM;
        return CARDFEED_NO_STR;
    }

    name = cardfeed_card_keep(p, cardfeed_buf_view(&p->scratch));

    return cardfeed_card_plain(p, name.len != 0 ? name : p->file->path,
        CARDFEED_CARD_NAME, 0);
}


static void
set_texts(cardfeed_parser_t *p)
{
    cardfeed_str_t *field = p->card.field;
    cardfeed_str_t title, excerpt;

    title = cardfeed_card_first(p, CARDFEED_KEY_TITLE, CARDFEED_KEY_NAME,
        CARDFEED_CARD_NAME);
    excerpt = cardfeed_card_first(p, CARDFEED_KEY_EXCERPT,
        CARDFEED_KEY_SUMMARY, CARDFEED_CARD_TEXT);

    if (title.len == 0 || excerpt.len == 0) {
        cardfeed_card_body(p, title.len == 0 ? &title : NULL,
            excerpt.len == 0 ? &excerpt : NULL);
    }

    p->path_title = title.len == 0;
    field[CARDFEED_FIELD_TITLE] = p->path_title ? title_of_path(p) : title;
    field[CARDFEED_FIELD_EXCERPT] = excerpt;
    field[CARDFEED_FIELD_TYPE] = cardfeed_card_text(p,
        &p->values[CARDFEED_KEY_TYPE], CARDFEED_CARD_NAME);
    field[CARDFEED_FIELD_CATEGORY] = cardfeed_card_text(p,
        &p->values[CARDFEED_KEY_CATEGORY], CARDFEED_CARD_NAME);
}


/* The top directory without its leading '_'. */
static void
set_category(cardfeed_parser_t *p)
{
    cardfeed_str_t dir;
    const char *slash;

    if (p->card.field[CARDFEED_FIELD_CATEGORY].len != 0) {
        return;
    }

    dir = p->file->path;
    slash = dir.len != 0 ? memchr(dir.data, '/', dir.len) : NULL;

    if (slash == NULL) {
        return;
    }

    dir.len = (size_t) (slash - dir.data);

    if (dir.len != 0 && dir.data[0] == '_') {
        dir.data++;
        dir.len--;
    }

    p->card.field[CARDFEED_FIELD_CATEGORY]
        = cardfeed_card_plain(p, dir, CARDFEED_CARD_NAME, 0);
}


static void
set_urn(cardfeed_parser_t *p, char kind, cardfeed_str_t rest)
{
    char urn[CARDFEED_URN_LEN + 1];

    if (cardfeed_text_urn(urn, p->collection->name, kind, rest)
        != CARDFEED_OK)
    {
        p->failed = CARDFEED_NOMEM;
        return;
    }

    p->card.field[CARDFEED_FIELD_IDENTITY] = cardfeed_card_keep(p,
        (cardfeed_str_t){.data = urn, .len = CARDFEED_URN_LEN});
}


static void
set_identity(cardfeed_parser_t *p)
{
    cardfeed_str_t id, link;
    unsigned key;

    for (key = CARDFEED_KEY_ID; key <= CARDFEED_KEY_GUID; key++) {
        /* Uncut: two long ones may differ at their ends. */
        id = cardfeed_card_plain(p, cardfeed_card_raw(p, &p->values[key]),
            SIZE_MAX, 0);

        if (id.len == 0) {
            continue;
        }

        p->card.identity_line = cardfeed_card_line(p, p->values[key].mark);

        if (id.len <= CARDFEED_CARD_NAME && cardfeed_url_is_iri(id)) {
            p->card.field[CARDFEED_FIELD_IDENTITY] = id;

        } else {
            set_urn(p, '#', id);
        }

        return;
    }

    link = p->card.field[CARDFEED_FIELD_LINK];

    if (p->collection->ids == CARDFEED_IDS_PERMALINK && link.len != 0
        && link.data[0] != '/')
    {
        p->card.identity_line = p->link_value != NULL
            ? cardfeed_card_line(p, p->link_value->mark)
            : 1;
        p->card.field[CARDFEED_FIELD_IDENTITY] = link;
        return;
    }

    p->card.identity_line = 1;
    set_urn(p, '/', p->file->keep_extension
            ? p->file->path
            : cardfeed_card_stem(p->file->path));
}


int
cardfeed_card_finish(cardfeed_parser_t *p)
{
    cardfeed_card_t *card = &p->card;
    int64_t in_published;
    unsigned i;
    int rc;

    in_published = CARDFEED_NO_TIME;

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        card->field[i] = CARDFEED_NO_STR;
    }

    rc = set_hidden(p, &in_published);

    if (rc == CARDFEED_OK) {
        rc = set_dates(p, in_published);
    }

    if (rc == CARDFEED_OK) {
        rc = check_title(p);
    }

    if (rc != CARDFEED_OK) {
        return rc;
    }

    card->quality
        = cardfeed_card_int(cardfeed_card_raw(p,
            &p->values[CARDFEED_KEY_QUALITY]));
    card->heat = cardfeed_card_int(cardfeed_card_raw(p,
        &p->values[CARDFEED_KEY_HEAT]));

    set_texts(p);
    set_category(p);
    cardfeed_card_links(p);
    cardfeed_card_topics(p);
    cardfeed_card_people(p);
    cardfeed_card_relations(p);
    set_identity(p);

    card->id = cardfeed_text_hash(card->field[CARDFEED_FIELD_IDENTITY]);

    return p->failed;
}
