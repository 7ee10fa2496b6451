/* record: a card as flat bytes, and reading them in place. */

#include <cardfeed/record.h>

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define FLAG_HIDDEN 1u

/* The checksum covers every byte behind itself. */
struct cardfeed_record_header_s {
    uint64_t checksum;
    uint32_t version;
    uint32_t size; /* of the whole record */
    uint64_t id;
    int64_t published;
    int64_t updated;
    int64_t expires;
    uint64_t enclosure_length;
    int32_t quality;
    int32_t heat;
    uint32_t image_width;
    uint32_t image_height;
    uint32_t flags;
    uint32_t ntopics;
    uint32_t nauthors;
    uint32_t nrelated;
};

typedef struct {
    uint32_t offset; /* from the record's start */
    uint32_t length;
} record_entry_t;

#define HEADER_SIZE sizeof(cardfeed_record_header_t)
#define CHECKED offsetof(cardfeed_record_header_t, version)

static_assert(HEADER_SIZE == 88, "no padding, no surprise");
static_assert(sizeof(record_entry_t) == 8, "no padding, no surprise");
static_assert(CHECKED == 8, "the checksum comes first");

#define TOPICS_AT ((size_t) CARDFEED_FIELDS)
#define AUTHORS_AT(ntopics) (TOPICS_AT + 2 * (size_t) (ntopics))
#define RELATED_AT(ntopics, nauthors)                                        \
    (AUTHORS_AT(ntopics) + 3 * (size_t) (nauthors))
#define ENTRIES(ntopics, nauthors, nrelated)                                 \
    (RELATED_AT(ntopics, nauthors) + 2 * (size_t) (nrelated))


typedef struct {
    cardfeed_buf_t *out;
    size_t start; /* of the record in out */
    size_t at;    /* where the next string goes, from start */
    bool strings; /* the second pass: the strings themselves */
} encoder_t;


static void
put(encoder_t *e, cardfeed_str_t s)
{
    record_entry_t entry;

    if (e->strings) {
        cardfeed_buf_str(e->out, s);
        return;
    }

    if (s.len > UINT32_MAX - e->at) {
        e->out->failed = CARDFEED_NOMEM;
        return;
    }

    entry.offset = (uint32_t) e->at;
    entry.length = (uint32_t) s.len;
    e->at += s.len;

    cardfeed_buf_append(e->out, &entry, sizeof(entry));
}


static void
put_all(encoder_t *e, const cardfeed_card_t *card)
{
    size_t i;

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
    cardfeed_record_header_t h;
    encoder_t e;
    char *record;

    if (card->ntopics > CARDFEED_CARD_TOPICS
        || card->nauthors > CARDFEED_CARD_AUTHORS
        || card->nrelated > CARDFEED_CARD_RELATED)
    {
        return CARDFEED_INVALID;
    }

    memset(&h, 0, sizeof(h));
    h.version = CARDFEED_RECORD_VERSION;
    h.id = card->id;
    h.published = card->published;
    h.updated = card->updated;
    h.expires = card->expires;
    h.enclosure_length = card->enclosure_length;
    h.quality = card->quality;
    h.heat = card->heat;
    h.image_width = card->image_width;
    h.image_height = card->image_height;
    h.flags = card->hidden ? FLAG_HIDDEN : 0;
    h.ntopics = (uint32_t) card->ntopics;
    h.nauthors = (uint32_t) card->nauthors;
    h.nrelated = (uint32_t) card->nrelated;

    e.out = out;
    e.start = out->len;
    e.at = HEADER_SIZE
        + ENTRIES(h.ntopics, h.nauthors, h.nrelated) * sizeof(record_entry_t);
    e.strings = false;

    cardfeed_buf_append(out, &h, sizeof(h));
    put_all(&e, card);
    e.strings = true;
    put_all(&e, card);

    if (out->failed != CARDFEED_OK) {
        out->len = e.start;
        return out->failed;
    }

    record = out->data + e.start;
    h.size = (uint32_t) e.at;
    memcpy(record, &h, sizeof(h));
    h.checksum = XXH3_64bits(record + CHECKED, e.at - CHECKED);
    memcpy(record, &h, sizeof(h));

    return CARDFEED_OK;
}


static record_entry_t
entry_at(const unsigned char *base, size_t i)
{
    record_entry_t entry;

    memcpy(&entry, base + HEADER_SIZE + i * sizeof(entry), sizeof(entry));

    return entry;
}


/* The strings lie behind the table, one after another, up to the end. */
static bool
entries_hold(const unsigned char *base, size_t n, size_t size)
{
    record_entry_t entry;
    size_t i, at;

    at = HEADER_SIZE + n * sizeof(record_entry_t);

    for (i = 0; i < n; i++) {
        entry = entry_at(base, i);

        if (entry.offset != at || entry.length > size - at) {
            return false;
        }

        at += entry.length;
    }

    return at == size;
}


int
cardfeed_record_open(cardfeed_record_t *rec, const void *data, size_t size)
{
    const unsigned char *base = data;
    cardfeed_record_header_t h;
    size_t n;

    memset(rec, 0, sizeof(*rec));

    if (size < HEADER_SIZE || size > UINT32_MAX) {
        return CARDFEED_CORRUPT;
    }

    memcpy(&h, base, sizeof(h));

    if (h.version != CARDFEED_RECORD_VERSION || h.size != size
        || (h.flags & ~FLAG_HIDDEN) != 0
        || h.ntopics > CARDFEED_CARD_TOPICS
        || h.nauthors > CARDFEED_CARD_AUTHORS
        || h.nrelated > CARDFEED_CARD_RELATED)
    {
        return CARDFEED_CORRUPT;
    }

    n = ENTRIES(h.ntopics, h.nauthors, h.nrelated);

    if (n > (size - HEADER_SIZE) / sizeof(record_entry_t)
        || h.checksum != XXH3_64bits(base + CHECKED, size - CHECKED)
        || !entries_hold(base, n, size))
    {
        return CARDFEED_CORRUPT;
    }

    rec->base = base;
    rec->size = size;
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
    record_entry_t entry;

    entry = entry_at(rec->base, i);

    return (cardfeed_str_t){.data = (const char *) rec->base + entry.offset,
        .len = entry.length};
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
