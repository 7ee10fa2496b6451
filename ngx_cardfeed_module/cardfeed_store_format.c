/*
 * store_format: errors in our words, keys, and values taken apart.
 *
 * Keys are big-endian and biased, so that bytewise order is the order meant.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

static const struct {
    int rc;
    int code;
} codes[] = {
    {MDB_NOTFOUND, CARDFEED_NOTFOUND},
    {MDB_MAP_FULL, CARDFEED_FULL},
    {ENOSPC, CARDFEED_FULL},
    {EDQUOT, CARDFEED_FULL},
    {EFBIG, CARDFEED_FULL},
    {ENOMEM, CARDFEED_NOMEM},
    {MDB_MAP_RESIZED, CARDFEED_BUSY},
    {MDB_READERS_FULL, CARDFEED_BUSY},
    {EWOULDBLOCK, CARDFEED_BUSY},
    {MDB_CORRUPTED, CARDFEED_CORRUPT},
    {MDB_PAGE_NOTFOUND, CARDFEED_CORRUPT},
    {MDB_INVALID, CARDFEED_CORRUPT},
    {MDB_VERSION_MISMATCH, CARDFEED_CORRUPT},
    {MDB_PANIC, CARDFEED_CORRUPT},
    {MDB_INCOMPATIBLE, CARDFEED_CORRUPT},
    {MDB_CURSOR_FULL, CARDFEED_CORRUPT},
    {MDB_PAGE_FULL, CARDFEED_CORRUPT},
    {EACCES, CARDFEED_CORRUPT}, /* no file of ours is made so */
    {EPERM, CARDFEED_CORRUPT},
    {EISDIR, CARDFEED_CORRUPT},
    {ENOTDIR, CARDFEED_CORRUPT},
    {ELOOP, CARDFEED_CORRUPT},
    {MDB_BAD_TXN, CARDFEED_CORRUPT}, /* a page before was no good */
    {MDB_BAD_DBI, CARDFEED_CORRUPT},
    {MDB_BAD_VALSIZE, CARDFEED_CORRUPT},
};


/* What to do about it, where LMDB does not say. */
static const char *
words(int rc)
{
    switch (rc) {
    case EIO: /* also LMDB's for a write that was cut short */
        return "input/output error, or no space left on device";
    case MDB_MAP_FULL:
        return "the index has outgrown its map, a larger map= is needed";
    default:
        return mdb_strerror(rc);
    }
}


int
cardfeed_store_error(cardfeed_error_t *err, int rc, const char *what)
{
    size_t i;
    int code = CARDFEED_ERROR;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].rc == rc) {
            code = codes[i].code;
        }
    }

    return cardfeed_error_set(err, code, 0, "%s: %s", what, words(rc));
}


int64_t
cardfeed_store_clock_ms(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
cardfeed_store_be32(unsigned char *out, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(out, &v, sizeof(v));
}


void
cardfeed_store_be64(unsigned char *out, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(out, &v, sizeof(v));
}


uint32_t
cardfeed_store_get_be32(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));

    return __builtin_bswap32(v);
}


uint64_t
cardfeed_store_get_be64(const unsigned char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));

    return __builtin_bswap64(v);
}


static uint64_t
biased(int64_t t)
{
    return (uint64_t) t ^ (UINT64_C(1) << 63);
}


static int64_t
unbiased(uint64_t v)
{
    return (int64_t) (v ^ (UINT64_C(1) << 63));
}


static unsigned char
lower(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') ? (unsigned char) (c | 0x20) : c;
}


/* The hash of the whole text, folded as the key is: block by block, each
 * seeded with the hash of those before. */
static void
hash_text(unsigned char *out, cardfeed_str_t s, bool fold)
{
    size_t i, n;
    unsigned char block[512];
    XXH128_hash_t hash = {0};
    XXH128_canonical_t canonical;

    for ( ; s.len != 0; s.data += n, s.len -= n) {
        n = s.len < sizeof(block) ? s.len : sizeof(block);
        memcpy(block, s.data, n);
        for (i = 0; fold && i < n; i++) {
            block[i] = lower(block[i]);
        }
        hash = XXH3_128bits_withSeed(block, n, hash.low64 ^ hash.high64);
    }

    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(out, canonical.digest, sizeof(canonical.digest));
}


/* No path and no name holds a NUL, so that a cut key is never a raw one. */
void
cardfeed_store_text_key(cardfeed_store_key_t *key, cardfeed_str_t s,
    bool fold)
{
    size_t i, n;

    n = s.len <= CARDFEED_STORE_KEY_MAX ? s.len : CARDFEED_STORE_KEY_CUT;
    for (i = 0; i < n; i++) {
        key->data[i] = (unsigned char) s.data[i];
        if (fold) {
            key->data[i] = lower(key->data[i]);
        }
    }
    key->len = n;

    if (n != s.len) {
        key->data[n] = '\0';
        hash_text(key->data + n + 1, s, fold);
        key->len = n + 1 + sizeof(XXH128_canonical_t);
    }
}


void
cardfeed_store_order_key(unsigned char *key, uint32_t topic,
    int64_t published, uint64_t id)
{
    cardfeed_store_be32(key, topic);
    cardfeed_store_be64(key + 4, ~biased(published));
    cardfeed_store_be64(key + 12, id);
}


int64_t
cardfeed_store_order_time(const unsigned char *key)
{
    return unbiased(~cardfeed_store_get_be64(key + 4));
}


static uint32_t
zigzag(int32_t v)
{
    return ((uint32_t) v << 1) ^ (v < 0 ? UINT32_MAX : 0);
}


static int32_t
unzigzag(uint32_t v)
{
    return (int32_t) ((v >> 1) ^ (0 - (v & 1)));
}


static_assert(sizeof(uint32_t) == CARDFEED_STORE_ROW_CHECK, "row check");


static uint32_t
row_check(const unsigned char *key, const unsigned char *numbers, size_t n)
{
    unsigned char both[CARDFEED_STORE_ORDER_KEY + CARDFEED_STORE_ROW_MAX];

    memcpy(both, key, CARDFEED_STORE_ORDER_KEY);
    memcpy(both + CARDFEED_STORE_ORDER_KEY, numbers, n);

    return (uint32_t) XXH3_64bits(both, CARDFEED_STORE_ORDER_KEY + n);
}


size_t
cardfeed_store_row_pack(unsigned char out[CARDFEED_STORE_ROW_MAX],
    const unsigned char *key, const cardfeed_row_t *row)
{
    const uint32_t numbers[CARDFEED_STORE_ROW_NUMBERS] = {
        row->type, row->category, row->provider, row->author,
        zigzag(row->quality), zigzag(row->heat),
    };

    size_t i, n = 0;
    uint32_t v, check;

    for (i = 0; i < CARDFEED_STORE_ROW_NUMBERS; i++) {
        for (v = numbers[i]; v >= 0x80; v >>= 7) {
            out[n++] = (unsigned char) (v | 0x80);
        }
        out[n++] = (unsigned char) v;
    }

    check = row_check(key, out, n);
    memcpy(out + n, &check, sizeof(check));

    return n + sizeof(check);
}


bool
cardfeed_store_row_open(cardfeed_row_t *row, const unsigned char *key,
    const MDB_val *value)
{
    size_t i;
    unsigned shift;
    uint64_t v;
    uint32_t numbers[CARDFEED_STORE_ROW_NUMBERS], check;
    const unsigned char *p = value->mv_data, *end;

    if (value->mv_size < sizeof(check)
        || value->mv_size > CARDFEED_STORE_ROW_MAX)
    {
        return false;
    }
    end = p + value->mv_size - sizeof(check);
    memcpy(&check, end, sizeof(check));
    if (check != row_check(key, p, (size_t) (end - p))) {
        return false;
    }

    for (i = 0; i < CARDFEED_STORE_ROW_NUMBERS; i++) {
        v = 0;
        shift = 0;

        do {
            if (p == end || shift > 28) {
                return false;
            }
            v |= (uint64_t) (*p & 0x7f) << shift;
            shift += 7;
        } while (*p++ & 0x80);

        if (v > UINT32_MAX) {
            return false;
        }
        numbers[i] = (uint32_t) v;
    }

    row->type = numbers[0];
    row->category = numbers[1];
    row->provider = numbers[2];
    row->author = numbers[3];
    row->quality = unzigzag(numbers[4]);
    row->heat = unzigzag(numbers[5]);

    return p == end;
}


void
cardfeed_store_due_key(unsigned char *key, int64_t due, uint64_t id)
{
    cardfeed_store_be64(key, biased(due));
    cardfeed_store_be64(key + 8, id);
}


int64_t
cardfeed_store_due_of(const unsigned char *key)
{
    return unbiased(cardfeed_store_get_be64(key));
}


MDB_val
cardfeed_store_val(const void *data, size_t size)
{
    MDB_val val;

    val.mv_size = size;
    val.mv_data = (void *) (uintptr_t) data; /* LMDB only reads it */

    return val;
}


bool
cardfeed_store_fixed(void *out, size_t size, const MDB_val *value,
    cardfeed_str_t *rest)
{
    if (value->mv_size < size) {
        return false;
    }

    memcpy(out, value->mv_data, size);
    rest->data = (const char *) value->mv_data + size;
    rest->len = value->mv_size - size;

    return true;
}


uint64_t
cardfeed_store_check(const void *fixed, size_t size, cardfeed_str_t a,
    cardfeed_str_t b)
{
    uint64_t check;

    check = XXH3_64bits(fixed, size);
    check = XXH3_64bits_withSeed(a.data, a.len, check);

    return XXH3_64bits_withSeed(b.data, b.len, check);
}


static uint64_t
head_check(const cardfeed_store_card_head_t *head, cardfeed_str_t path)
{
    return cardfeed_store_check(head,
        offsetof(cardfeed_store_card_head_t, check), path, CARDFEED_NO_STR);
}


void
cardfeed_store_head_seal(cardfeed_store_card_head_t *head,
    cardfeed_str_t path)
{
    head->path_len = (uint32_t) path.len;
    head->check = head_check(head, path);
}


int
cardfeed_store_head_open(cardfeed_store_card_head_t *head,
    cardfeed_str_t *path, cardfeed_str_t *bytes, const MDB_val *value)
{
    cardfeed_str_t rest;

    if (!cardfeed_store_fixed(head, sizeof(*head), value, &rest)
        || head->path_len > rest.len || head->state >= CARDFEED_STATES)
    {
        return CARDFEED_CORRUPT;
    }

    path->data = rest.data;
    path->len = head->path_len;
    bytes->data = rest.data + head->path_len;
    bytes->len = rest.len - head->path_len;

    return head->check == head_check(head, *path) ? CARDFEED_OK
                                                  : CARDFEED_CORRUPT;
}


int
cardfeed_store_card_open(cardfeed_store_card_t *card, uint64_t id,
    const MDB_val *value)
{
    card->id = id;

    if (cardfeed_store_head_open(&card->head, &card->path, &card->bytes,
                                 value) != CARDFEED_OK
        || cardfeed_record_open(&card->record, card->bytes.data,
                                card->bytes.len) != CARDFEED_OK
        || card->record.id != id)
    {
        return CARDFEED_CORRUPT;
    }

    return CARDFEED_OK;
}


static uint64_t
topic_check(const cardfeed_store_topic_row_t *row, cardfeed_str_t name,
    cardfeed_str_t slug)
{
    return cardfeed_store_check(row,
        offsetof(cardfeed_store_topic_row_t, check), slug, name);
}


void
cardfeed_store_topic_seal(cardfeed_store_topic_row_t *row,
    cardfeed_str_t name, cardfeed_str_t slug)
{
    row->name_len = (uint32_t) name.len;
    row->check = topic_check(row, name, slug);
}


int
cardfeed_store_topic_open(cardfeed_store_topic_row_t *row,
    cardfeed_str_t *name, cardfeed_str_t slug, const MDB_val *value)
{
    if (!cardfeed_store_fixed(row, sizeof(*row), value, name)
        || row->name_len != name->len
        || row->check != topic_check(row, *name, slug))
    {
        return CARDFEED_CORRUPT;
    }

    return CARDFEED_OK;
}
