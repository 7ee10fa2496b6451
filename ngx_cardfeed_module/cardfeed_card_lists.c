/* card_lists: topics, the provider and its authors, related cards. */

#include "cardfeed_card_private.h"

#include <string.h>


/* Open addressing over the slugs so far; an entry is an index plus one. */
typedef struct {
    cardfeed_card_topic_t *topics;
    size_t n;
    size_t max;
    uint32_t *slots;
    size_t mask;
} topic_set_t;


static void
add_topic(cardfeed_parser_t *p, topic_set_t *set, cardfeed_str_t raw)
{
    cardfeed_str_t name, slug;
    size_t slot;

    if (set->n == set->max) {
        return;
    }

    name = cardfeed_card_plain(p, raw, CARDFEED_CARD_NAME,
        CARDFEED_PLAIN_ENTITIES);

    if (name.len == 0) {
        return;
    }

    cardfeed_buf_reset(&p->scratch);

    if (cardfeed_text_slug(&p->scratch, name) != CARDFEED_OK) {
        p->failed = CARDFEED_NOMEM;
        return;
    }

    slug = cardfeed_buf_view(&p->scratch);
    slot = (size_t) cardfeed_text_hash(slug) & set->mask;

    while (set->slots[slot] != 0) {
        if (cardfeed_str_eq(set->topics[set->slots[slot] - 1].slug, slug)) {
            return;
        }

        slot = (slot + 1) & set->mask;
    }

    set->topics[set->n].name = name;
    set->topics[set->n].slug = cardfeed_card_keep(p, slug);
    set->slots[slot] = (uint32_t) ++set->n;
}


static size_t
names_of(const cardfeed_parser_t *p, unsigned list)
{
    switch (p->values[CARDFEED_KEY_TOPICS + list].kind) {
    case CARDFEED_VALUE_TEXT:
        return 1;

    case CARDFEED_VALUE_NESTED:
        return p->names[list].len / sizeof(cardfeed_card_ref_t);

    default:
        return 0;
    }
}


static void
add_names(cardfeed_parser_t *p, topic_set_t *set, unsigned list)
{
    const cardfeed_card_value_t *value;
    cardfeed_card_ref_t ref;
    size_t i, n;

    value = &p->values[CARDFEED_KEY_TOPICS + list];
    n = names_of(p, list);

    for (i = 0; i < n; i++) {
        if (value->kind == CARDFEED_VALUE_TEXT) {
            ref = value->ref;

        } else {
            memcpy(&ref, p->names[list].data + i * sizeof(ref), sizeof(ref));
        }

        add_topic(p, set, cardfeed_card_at(p, ref));
    }
}


static void
read_topics(cardfeed_parser_t *p, unsigned from, unsigned to)
{
    topic_set_t set;
    size_t total, slots;
    unsigned list;

    total = 0;

    for (list = from; list <= to; list++) {
        total += names_of(p, list);
    }

    if (total == 0) {
        return;
    }

    memset(&set, 0, sizeof(set));
    set.max = total < CARDFEED_CARD_TOPICS ? total : CARDFEED_CARD_TOPICS;

    for (slots = 8; slots < set.max * 2; slots *= 2) { /* void */ }

    set.mask = slots - 1;
    set.topics = cardfeed_arena_alloc(&p->arena,
        set.max * sizeof(cardfeed_card_topic_t));
    set.slots = cardfeed_arena_alloc(&p->arena, slots * sizeof(uint32_t));

    if (set.topics == NULL || set.slots == NULL) {
        p->failed = CARDFEED_NOMEM;
        return;
    }

    for (list = from; list <= to; list++) {
        add_names(p, &set, list);
    }

    p->card.topics = set.topics;
    p->card.ntopics = set.n;
}


void
cardfeed_card_topics(cardfeed_parser_t *p)
{
    read_topics(p, 0, 0);

    if (p->card.ntopics == 0) {
        read_topics(p, 1, 2);
    }
}


static bool
is_email(cardfeed_str_t s)
{
    const char *at;
    size_t i;

    at = s.len != 0 ? memchr(s.data, '@', s.len) : NULL;

    if (at == NULL || at == s.data || at == s.data + s.len - 1) {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        if ((unsigned char) s.data[i] <= ' ' || s.data[i] == 0x7f
            || strchr("<>()[],;:\\\"", s.data[i]) != NULL
            || (s.data[i] == '@' && s.data + i != at))
        {
            return false;
        }
    }

    return true;
}


/* "Name <a@b>" and "a@b" → name and e-mail; anything else is a name. */
static void
split_email(cardfeed_card_author_t *author)
{
    cardfeed_str_t name, email;
    const char *angle;

    name = author->name;

    if (is_email(name)) {
        author->email = name;
        author->name.len = (size_t) ((const char *) memchr(name.data, '@',
                                         name.len)
            - name.data);
        return;
    }

    if (name.len == 0 || name.data[name.len - 1] != '>') {
        return;
    }

    angle = memrchr(name.data, '<', name.len);
    if (angle == NULL) {
        return;
    }

    email.data = angle + 1;
    email.len = (size_t) (name.data + name.len - 1 - email.data);
    email = cardfeed_str_trim(email);

    if (!is_email(email)) {
        return;
    }

    name.len = (size_t) (angle - name.data);
    author->name = cardfeed_str_trim(name);
    author->email = email;

    if (author->name.len == 0) {
        author->name = email;
        split_email(author);
    }
}


static void
add_author(cardfeed_parser_t *p, const cardfeed_card_value_t *item)
{
    cardfeed_card_author_t *author;
    cardfeed_str_t email;

    author = &p->authors[p->card.nauthors];
    memset(author, 0, sizeof(*author));

    email = cardfeed_card_text(p, &item[CARDFEED_AUTHOR_EMAIL],
        CARDFEED_CARD_NAME);

    author->url = cardfeed_card_url(p,
        cardfeed_card_raw(p, &item[CARDFEED_AUTHOR_URL]));
    author->email = CARDFEED_NO_STR;
    author->name = cardfeed_card_text(p, &item[CARDFEED_AUTHOR_NAME],
        CARDFEED_CARD_NAME);

    if (author->name.len == 0 && is_email(email)) {
        author->name = email;
    }

    split_email(author);

    if (is_email(email)) {
        author->email = email;
    }

    if (author->name.len != 0) {
        p->card.nauthors++;
    }
}


static void
read_people(cardfeed_parser_t *p, unsigned list,
    const cardfeed_card_value_t *value)
{
    cardfeed_card_value_t item[CARDFEED_AUTHOR_KEYS];
    size_t i;

    if (p->card.nauthors != 0) {
        return;
    }

    if (value->kind == CARDFEED_VALUE_TEXT) {
        memset(item, 0, sizeof(item));
        item[CARDFEED_AUTHOR_NAME] = *value;
        add_author(p, item);
        return;
    }

    if (value->kind == CARDFEED_VALUE_NESTED) {
        for (i = 0; i < p->people[list].n; i++) {
            add_author(p, p->people[list].item[i]);
        }
    }
}


static void
read_provider(cardfeed_parser_t *p)
{
    cardfeed_str_t *field = p->card.field;
    const cardfeed_card_value_t *value = &p->values[CARDFEED_KEY_PROVIDER];
    cardfeed_str_t name, url, domain;

    if (value->kind != CARDFEED_VALUE_NESTED) {
        field[CARDFEED_FIELD_PROVIDER]
            = cardfeed_card_text(p, value, CARDFEED_CARD_NAME);
        return;
    }

    value = p->provider;
    name = cardfeed_card_text(p, &value[CARDFEED_PROVIDER_NAME],
        CARDFEED_CARD_NAME);
    domain = cardfeed_card_text(p, &value[CARDFEED_PROVIDER_DOMAIN],
        CARDFEED_CARD_NAME);
    url = cardfeed_card_url(p,
        cardfeed_card_raw(p, &value[CARDFEED_PROVIDER_URL]));

    if (url.len == 0 && domain.len != 0) {
        cardfeed_buf_reset(&p->work);
        cardfeed_buf_cstr(&p->work, "https://");
        cardfeed_buf_str(&p->work, domain);
        cardfeed_buf_char(&p->work, '/');

        if (p->work.failed != CARDFEED_OK) {
            p->failed = CARDFEED_NOMEM;
        }

        url = cardfeed_card_url(p, cardfeed_buf_view(&p->work));
    }

    field[CARDFEED_FIELD_PROVIDER] = name.len != 0 ? name : domain;
    field[CARDFEED_FIELD_PROVIDER_URL] = url;

    read_people(p, 0, &value[CARDFEED_PROVIDER_AUTHORS]);
}


void
cardfeed_card_people(cardfeed_parser_t *p)
{
    p->card.authors = p->authors;

    read_provider(p);
    read_people(p, 1, &p->values[CARDFEED_KEY_AUTHOR]);
    read_people(p, 2, &p->values[CARDFEED_KEY_AUTHORS]);
}


void
cardfeed_card_relations(cardfeed_parser_t *p)
{
    const cardfeed_card_value_t *item;
    cardfeed_card_related_t *to;
    unsigned key;
    size_t i;

    p->card.related = p->relations;

    if (p->values[CARDFEED_KEY_RELATED].kind != CARDFEED_VALUE_NESTED) {
        return;
    }

    for (i = 0; i < p->nrelated; i++) {
        item = p->related[i];
        to = &p->relations[i];

        to->title = cardfeed_card_text(p, &item[CARDFEED_RELATED_TITLE],
            CARDFEED_CARD_NAME);
        to->url = CARDFEED_NO_STR;

        for (key = CARDFEED_RELATED_WEB_URL;
             key < CARDFEED_RELATED_KEYS && to->url.len == 0; key++)
        {
            to->url = cardfeed_card_url(p, cardfeed_card_raw(p, &item[key]));
        }
    }

    p->card.nrelated = p->nrelated;
}
