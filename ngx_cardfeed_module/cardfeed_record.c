/* record: a card as flat bytes, and reading them in place. */

#include <cardfeed/record.h>

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <xxhash.h>

#define FLAG_HIDDEN 1u
#define FLAG_WIDE 2u /* ends take 32 bits: the strings are longer than 16 */

/* The checksum covers every byte behind itself. */
struct cardfeed_record_header_s {
    uint64_t checksum;
    uint64_t id;
    int64_t published;
    int64_t updated;
    int64_t expires;
    uint64_t enclosure_length;
    int32_t quality;
    int32_t heat;
    uint32_t image_width;
    uint32_t image_height;
    uint16_t version;
    uint16_t flags;
    uint16_t ntopics;
    uint8_t nauthors;
    uint8_t nrelated;
};

#define HEADER_SIZE sizeof(cardfeed_record_header_t)
#define CHECKED offsetof(cardfeed_record_header_t, id)

static_assert(HEADER_SIZE == 72, "no padding, no surprise");
static_assert(CHECKED == 8, "the checksum comes first");
static_assert(CARDFEED_CARD_TOPICS <= UINT16_MAX
        && CARDFEED_CARD_AUTHORS <= UINT8_MAX
        && CARDFEED_CARD_RELATED <= UINT8_MAX,
    "counts fit");

#define TOPICS_AT ((size_t) CARDFEED_FIELDS)
#define AUTHORS_AT(ntopics) (TOPICS_AT + 2 * (size_t) (ntopics))
#define RELATED_AT(ntopics, nauthors)                                        \
    (AUTHORS_AT(ntopics) + 3 * (size_t) (nauthors))
#define ENTRIES(ntopics, nauthors, nrelated)                                 \
    (RELATED_AT(ntopics, nauthors) + 2 * (size_t) (nrelated))


/* Strings are gone through three times. */
typedef enum {
    PASS_MEASURE,
    PASS_ENDS,
    PASS_STRINGS
} encoder_pass_t;

typedef struct {
    cardfeed_buf_t *out;
    encoder_pass_t pass;
    bool wide;
    size_t at; /* the end of the strings so far */
} encoder_t;


static void
put(encoder_t *e, cardfeed_str_t s)
{
    uint16_t end16;
    uint32_t end32;

    if (e->pass == PASS_STRINGS) {
        cardfeed_buf_str(e->out, s);
        return;
    }

    e->at += s.len;

    if (e->pass == PASS_ENDS && e->wide) {
        end32 = (uint32_t) e->at;
        cardfeed_buf_append(e->out, &end32, sizeof(end32));

    } else if (e->pass == PASS_ENDS) {
        end16 = (uint16_t) e->at;
        cardfeed_buf_append(e->out, &end16, sizeof(end16));
    }
}


static void
put_all(encoder_t *e, const cardfeed_card_t *card, encoder_pass_t pass)
{
    size_t i;

    e->pass = pass;
    e->at = 0;

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        put(e, card->field[i]);
    }

    for (i = 0; i < card->ntopics; i++) {
        put(e, card->topics[i].name);
        put(e, card->topics[i].slug);
    }

    for (i = 0; i < card->nauthors; i++) {
        put(e, card->authors[i].name);
        put(e, card->authors[i].url);
        put(e, card->authors[i].email);
    }

    for (i = 0; i < card->nrelated; i++) {
        put(e, card->related[i].title);
        put(e, card->related[i].url);
    }
}


int
cardfeed_record_encode(cardfeed_buf_t *out, const cardfeed_card_t *card)
{
    size_t start = out->len;
    cardfeed_record_header_t h;
    encoder_t e = {.out = out};

    if (card->ntopics > CARDFEED_CARD_TOPICS
        || card->nauthors > CARDFEED_CARD_AUTHORS
        || card->nrelated > CARDFEED_CARD_RELATED)
    {
        return CARDFEED_INVALID;
    }

    put_all(&e, card, PASS_MEASURE);
    e.wide = e.at > UINT16_MAX;

    if (e.at > UINT32_MAX) {
        return CARDFEED_NOMEM;
    }

    memset(&h, 0, sizeof(h));
    h.id = card->id;
    h.published = card->published;
    h.updated = card->updated;
    h.expires = card->expires;
    h.enclosure_length = card->enclosure_length;
    h.quality = card->quality;
    h.heat = card->heat;
    h.image_width = card->image_width;
    h.image_height = card->image_height;
    h.version = CARDFEED_RECORD_VERSION;
    h.flags = (uint16_t) ((card->hidden ? FLAG_HIDDEN : 0)
                          | (e.wide ? FLAG_WIDE : 0));
    h.ntopics = (uint16_t) card->ntopics;
    h.nauthors = (uint8_t) card->nauthors;
    h.nrelated = (uint8_t) card->nrelated;

    cardfeed_buf_append(out, &h, sizeof(h));
    put_all(&e, card, PASS_ENDS);
    put_all(&e, card, PASS_STRINGS);

    if (out->failed != CARDFEED_OK) {
        out->len = start;
        return out->failed;
    }

    h.checksum = XXH3_64bits(out->data + start + CHECKED,
        out->len - start - CHECKED);
    memcpy(out->data + start, &h, sizeof(h));

    return CARDFEED_OK;
}


/* Where string i ends, from where strings begin. */
static size_t
end_at(const unsigned char *base, bool wide, size_t i)
{
    uint16_t end16;
    uint32_t end32;

    if (wide) {
        memcpy(&end32, base + HEADER_SIZE + i * sizeof(end32),
            sizeof(end32));
        return end32;
    }

    memcpy(&end16, base + HEADER_SIZE + i * sizeof(end16), sizeof(end16));

    return end16;
}


/* The strings lie behind the table, one after another, up to the end. */
static bool
ends_hold(const unsigned char *base, bool wide, size_t n, size_t size)
{
    size_t i, end, last = 0;

    for (i = 0; i < n; i++) {
        end = end_at(base, wide, i);

        if (end < last) {
            return false;
        }

        last = end;
    }

    return last == size && wide == (size > UINT16_MAX);
}


int
cardfeed_record_open(cardfeed_record_t *rec, const void *data, size_t size)
{
    const unsigned char *base = data;
    cardfeed_record_header_t h;
    size_t n, width;

    memset(rec, 0, sizeof(*rec));

    if (size < HEADER_SIZE || size > UINT32_MAX) {
        return CARDFEED_CORRUPT;
    }

    memcpy(&h, base, sizeof(h));

    if (h.version != CARDFEED_RECORD_VERSION
        || (h.flags & ~(FLAG_HIDDEN | FLAG_WIDE)) != 0
        || h.ntopics > CARDFEED_CARD_TOPICS
        || h.nauthors > CARDFEED_CARD_AUTHORS
        || h.nrelated > CARDFEED_CARD_RELATED)
    {
        return CARDFEED_CORRUPT;
    }

    rec->wide = (h.flags & FLAG_WIDE) != 0;
    width = rec->wide ? sizeof(uint32_t) : sizeof(uint16_t);
    n = ENTRIES(h.ntopics, h.nauthors, h.nrelated);

    if (n > (size - HEADER_SIZE) / width
        || h.checksum != XXH3_64bits(base + CHECKED, size - CHECKED)
        || !ends_hold(base, rec->wide, n, size - HEADER_SIZE - n * width))
    {
        return CARDFEED_CORRUPT;
    }

    rec->base = base;
    rec->strings = (const char *) base + HEADER_SIZE + n * width;
    rec->id = h.id;
    rec->published = h.published;
    rec->updated = h.updated;
    rec->expires = h.expires;
    rec->quality = h.quality;
    rec->heat = h.heat;
    rec->image_width = h.image_width;
    rec->image_height = h.image_height;
    rec->enclosure_length = h.enclosure_length;
    rec->hidden = (h.flags & FLAG_HIDDEN) != 0;
    rec->ntopics = h.ntopics;
    rec->nauthors = h.nauthors;
    rec->nrelated = h.nrelated;

    return CARDFEED_OK;
}


static cardfeed_str_t
string_at(const cardfeed_record_t *rec, size_t i)
{
    size_t from;

    from = i > 0 ? end_at(rec->base, rec->wide, i - 1) : 0;

    return (cardfeed_str_t){.data = rec->strings + from,
        .len = end_at(rec->base, rec->wide, i) - from};
}


cardfeed_str_t
cardfeed_record_field(const cardfeed_record_t *rec, cardfeed_field_t field)
{
    return string_at(rec, field);
}


cardfeed_card_topic_t
cardfeed_record_topic(const cardfeed_record_t *rec, uint32_t i)
{
    size_t at = TOPICS_AT + 2 * (size_t) i;

    return (cardfeed_card_topic_t){.name = string_at(rec, at),
        .slug = string_at(rec, at + 1)};
}


cardfeed_card_author_t
cardfeed_record_author(const cardfeed_record_t *rec, uint32_t i)
{
    size_t at = AUTHORS_AT(rec->ntopics) + 3 * (size_t) i;

    return (cardfeed_card_author_t){.name = string_at(rec, at),
        .url = string_at(rec, at + 1),
        .email = string_at(rec, at + 2)};
}


cardfeed_card_related_t
cardfeed_record_related(const cardfeed_record_t *rec, uint32_t i)
{
    size_t at = RELATED_AT(rec->ntopics, rec->nauthors) + 2 * (size_t) i;

    return (cardfeed_card_related_t){.title = string_at(rec, at),
        .url = string_at(rec, at + 1)};
}


bool
cardfeed_record_visible(const cardfeed_record_t *rec, int64_t now)
{
    return !rec->hidden && rec->published != CARDFEED_NO_TIME
        && rec->published <= now
        && cardfeed_record_field(rec, CARDFEED_FIELD_TITLE).len != 0
        && (rec->expires == CARDFEED_NO_TIME || rec->expires > now);
}
