/*
 * store_topics: what a transaction does to topics and their spellings,
 * gathered in memory and written once.
 *
 * A node is a topic (owner NULL) or a spelling of one; both hang in one hash
 * table, so that neither many topics nor many spellings cost more than their
 * number.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((size_t) 512 << 20)
#define MEMORY_MUCH ((size_t) 16 << 20) /* time to write it down */
#define BUCKETS_LEAST 256

typedef struct node_s node_t;

struct node_s {
    node_t *bucket;
    node_t *next;   /* all topics, or the spellings of one */
    node_t *owner;
    uint64_t hash;
    cardfeed_str_t text; /* slug or spelling */
    int64_t delta;
    /* a topic */
    node_t *spellings;
    cardfeed_store_topic_row_t row;
    cardfeed_str_t name;
};

struct cardfeed_store_topics_s {
    cardfeed_arena_t arena;
    node_t **buckets;
    size_t nbuckets; /* a power of two */
    size_t nnodes;
    node_t *topics;
    uint64_t pending;
};


cardfeed_store_topics_t *
cardfeed_store_topics_create(void)
{
    cardfeed_store_topics_t *topics;

    topics = calloc(1, sizeof(*topics));
    if (topics == NULL) {
        return NULL;
    }

    topics->nbuckets = BUCKETS_LEAST;
    topics->buckets = calloc(topics->nbuckets, sizeof(node_t *));
    if (topics->buckets == NULL) {
        free(topics);
        return NULL;
    }

    cardfeed_arena_init(&topics->arena, MEMORY_MAX);

    return topics;
}


void
cardfeed_store_topics_destroy(cardfeed_store_topics_t *topics)
{
    if (topics != NULL) {
        cardfeed_arena_free(&topics->arena);
        free(topics->buckets);
        free(topics);
    }
}


uint64_t
cardfeed_store_topics_pending(const cardfeed_txn_t *txn)
{
    return txn->topics->pending;
}


static uint64_t
node_hash(const node_t *owner, cardfeed_str_t text)
{
    uint64_t hash = cardfeed_text_hash(text);

    return owner == NULL ? hash : hash ^ (owner->hash * 0x9e3779b97f4a7c15);
}


static node_t *
find(const cardfeed_store_topics_t *topics, const node_t *owner,
    cardfeed_str_t text, uint64_t hash)
{
    node_t *node;

    for (node = topics->buckets[hash & (topics->nbuckets - 1)]; node != NULL;
         node = node->bucket)
    {
        if (node->hash == hash && node->owner == owner
            && cardfeed_str_eq(node->text, text))
        {
            return node;
        }
    }

    return NULL;
}


/* Without memory for more buckets the chains get longer, that is all. */
static void
grow(cardfeed_store_topics_t *topics)
{
    size_t i, n = topics->nbuckets * 2;
    node_t **buckets, *node, *next;

    buckets = calloc(n, sizeof(node_t *));
    if (buckets == NULL) {
        return;
    }

    for (i = 0; i < topics->nbuckets; i++) {
        for (node = topics->buckets[i]; node != NULL; node = next) {
            next = node->bucket;
            node->bucket = buckets[node->hash & (n - 1)];
            buckets[node->hash & (n - 1)] = node;
        }
    }

    free(topics->buckets);
    topics->buckets = buckets;
    topics->nbuckets = n;
}


static node_t *
add(cardfeed_store_topics_t *topics, node_t *owner, cardfeed_str_t text,
    uint64_t hash)
{
    size_t i;
    node_t *node, **list;

    node = cardfeed_arena_alloc(&topics->arena, sizeof(*node));
    if (node == NULL) {
        return NULL;
    }

    node->text = cardfeed_arena_dup(&topics->arena, text);
    if (node->text.data == NULL) {
        return NULL;
    }

    if (topics->nnodes++ >= topics->nbuckets) {
        grow(topics);
    }

    i = (size_t) (hash & (topics->nbuckets - 1));
    list = owner == NULL ? &topics->topics : &owner->spellings;

    node->hash = hash;
    node->owner = owner;
    node->bucket = topics->buckets[i];
    topics->buckets[i] = node;
    node->next = *list;
    *list = node;

    return node;
}


/* What is stored of a topic, or the beginnings of a new one. */
static int
load(cardfeed_txn_t *txn, node_t *topic)
{
    int rc;
    MDB_val value;
    cardfeed_str_t name;

    rc = cardfeed_store_get(txn, CARDFEED_TABLE_TOPICS,
        cardfeed_store_val(topic->text.data, topic->text.len), &value);

    if (rc == CARDFEED_NOTFOUND) {
        topic->name = CARDFEED_NO_STR;
        topic->row.id = ++txn->counters.topics;
        txn->topics->pending++;
        return topic->row.id != 0 ? CARDFEED_OK
                                  : cardfeed_store_txn_corrupt(txn, "topics");
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (cardfeed_store_topic_open(&topic->row, &name, topic->text, &value)
        != CARDFEED_OK)
    {
        return cardfeed_store_txn_corrupt(txn, "topic");
    }

    topic->name = cardfeed_arena_dup(&txn->topics->arena, name);

    return topic->name.data != NULL
               ? CARDFEED_OK
               : cardfeed_store_txn_fail(txn, ENOMEM, "topics");
}


int
cardfeed_store_topics_count(cardfeed_txn_t *txn, cardfeed_str_t slug,
    cardfeed_str_t name, int delta, uint32_t *id)
{
    int rc;
    node_t *topic, *spelling;
    uint64_t hash;
    cardfeed_store_topics_t *topics = txn->topics;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    hash = node_hash(NULL, slug);
    topic = find(topics, NULL, slug, hash);
    if (topic == NULL) {
        topic = add(topics, NULL, slug, hash);
        if (topic == NULL) {
            return cardfeed_store_txn_fail(txn, ENOMEM, "topics");
        }
        rc = load(txn, topic);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    hash = node_hash(topic, name);
    spelling = find(topics, topic, name, hash);
    if (spelling == NULL) {
        spelling = add(topics, topic, name, hash);
        if (spelling == NULL) {
            return cardfeed_store_txn_fail(txn, ENOMEM, "topics");
        }
    }

    topic->delta += delta;
    spelling->delta += delta;
    txn->dirty = true;
    *id = topic->row.id;

    return CARDFEED_OK;
}


static void
spelling_key(unsigned char *key, uint32_t topic, cardfeed_str_t spelling)
{
    cardfeed_store_be32(key, topic);
    cardfeed_store_be64(key + 4, cardfeed_text_hash(spelling));
}


/* The most used, of equals the bytewise first. */
static bool
better(uint32_t count, cardfeed_str_t name,
    const cardfeed_store_topic_row_t *row, cardfeed_str_t than)
{
    if (count != row->name_count) {
        return count > row->name_count;
    }

    return count != 0 && cardfeed_str_cmp(name, than) < 0;
}


static int
write_spelling(cardfeed_txn_t *txn, node_t *topic, node_t *spelling,
    uint32_t *count)
{
    int rc;
    int64_t n;
    MDB_val value, key;
    unsigned char data[12];
    cardfeed_str_t text = spelling->text;
    cardfeed_store_spelling_row_t row = {.len = (uint32_t) text.len};

    spelling_key(data, topic->row.id, text);
    key = cardfeed_store_val(data, sizeof(data));

    rc = cardfeed_store_get(txn, CARDFEED_TABLE_SPELLINGS, key, &value);
    if (rc == CARDFEED_OK) {
        if (value.mv_size < sizeof(row)) {
            return cardfeed_store_txn_corrupt(txn, "spelling");
        }
        memcpy(&row.count, value.mv_data, sizeof(row.count));
    } else if (rc != CARDFEED_NOTFOUND) {
        return rc;
    }

    n = (int64_t) row.count + spelling->delta;
    if (n < 0 || n > UINT32_MAX) {
        return cardfeed_store_txn_corrupt(txn, "spelling");
    }

    row.count = *count = (uint32_t) n;
    if (n == 0) {
        rc = cardfeed_store_del(txn, CARDFEED_TABLE_SPELLINGS, key);
        return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
    }

    cardfeed_buf_reset(&txn->scratch);
    cardfeed_buf_append(&txn->scratch, &row, sizeof(row));
    if (cardfeed_buf_str(&txn->scratch, text) != CARDFEED_OK) {
        return cardfeed_store_txn_fail(txn, ENOMEM, "spelling");
    }

    return cardfeed_store_put(txn, CARDFEED_TABLE_SPELLINGS, key,
        cardfeed_store_val(txn->scratch.data, txn->scratch.len));
}


/* The winner lost some: only a look at all of them tells who is best now.
 * When none is left, the name stays. */
static int
choose_name(cardfeed_txn_t *txn, node_t *topic)
{
    int rc;
    MDB_val key, value;
    MDB_cursor *cursor;
    unsigned char start[12] = {0};
    cardfeed_str_t text, best = topic->name;
    cardfeed_store_spelling_row_t row;

    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[CARDFEED_TABLE_SPELLINGS],
        &cursor);
    if (rc != 0) {
        return cardfeed_store_txn_fail(txn, rc, "spellings");
    }

    topic->row.name_count = 0;
    cardfeed_store_be32(start, topic->row.id);
    key = cardfeed_store_val(start, sizeof(start));

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); rc == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
    {
        if (key.mv_size != 12 || memcmp(key.mv_data, start, 4) != 0) {
            break;
        }
        if (!cardfeed_store_fixed(&row, sizeof(row), &value, &text)
            || row.len != text.len)
        {
            rc = MDB_CORRUPTED;
            break;
        }
        if (better(row.count, text, &topic->row, best)) {
            topic->row.name_count = row.count;
            best = text;
        }
    }

    if (rc == 0 || rc == MDB_NOTFOUND) {
        topic->name = cardfeed_arena_dup(&txn->topics->arena, best);
        rc = topic->name.data == NULL ? ENOMEM : 0;
    }
    mdb_cursor_close(cursor);

    return rc == 0 ? CARDFEED_OK
                   : cardfeed_store_txn_fail(txn, rc, "spellings");
}


static int
write_spellings(cardfeed_txn_t *txn, node_t *topic)
{
    int rc;
    bool shrunk = false;
    node_t *s;
    uint32_t count = 0, name_count = topic->row.name_count;
    cardfeed_str_t name = topic->name;
    cardfeed_store_topic_row_t *row = &topic->row;

    /* First what the winner has now, then who has more. */
    for (s = topic->spellings; s != NULL; s = s->next) {
        if (cardfeed_str_eq(s->text, name) && s->delta != 0) {
            rc = write_spelling(txn, topic, s, &row->name_count);
            if (rc != CARDFEED_OK) {
                return rc;
            }
            s->delta = 0;
            shrunk = row->name_count < name_count;
        }
    }

    for (s = topic->spellings; s != NULL; s = s->next) {
        if (s->delta == 0) {
            continue;
        }
        rc = write_spelling(txn, topic, s, &count);
        if (rc != CARDFEED_OK) {
            return rc;
        }
        if (better(count, s->text, row, topic->name)) {
            row->name_count = count;
            topic->name = s->text;
        }
    }

    return shrunk ? choose_name(txn, topic) : CARDFEED_OK;
}


static int
write_topic(cardfeed_txn_t *txn, node_t *topic)
{
    int rc;
    int64_t count;
    cardfeed_store_topic_row_t *row = &topic->row;

    count = (int64_t) row->count + topic->delta;
    if (count < 0 || count > UINT32_MAX) {
        return cardfeed_store_txn_corrupt(txn, "topic");
    }
    row->count = (uint32_t) count;

    rc = write_spellings(txn, topic);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (!txn->bumped) {
        txn->bumped = true;
        txn->counters.change++;
    }

    if (row->change != txn->counters.change) {
        /* not by an earlier part of this transaction */
        row->change = txn->counters.change;
        row->changed_at = txn->now > row->changed_at ? txn->now
                                                     : row->changed_at + 1;
    }

    cardfeed_store_topic_seal(row, topic->name, topic->text);

    cardfeed_buf_reset(&txn->scratch);
    cardfeed_buf_append(&txn->scratch, row, sizeof(*row));
    if (cardfeed_buf_str(&txn->scratch, topic->name) != CARDFEED_OK) {
        return cardfeed_store_txn_fail(txn, ENOMEM, "topic");
    }

    return cardfeed_store_put(txn, CARDFEED_TABLE_TOPICS,
        cardfeed_store_val(topic->text.data, topic->text.len),
        cardfeed_store_val(txn->scratch.data, txn->scratch.len));
}


int
cardfeed_store_topics_flush(cardfeed_txn_t *txn)
{
    int rc;
    node_t *topic;
    cardfeed_store_topics_t *topics = txn->topics;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    for (topic = topics->topics; topic != NULL; topic = topic->next) {
        rc = write_topic(txn, topic);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    memset(topics->buckets, 0, topics->nbuckets * sizeof(node_t *));
    topics->topics = NULL;
    topics->nnodes = 0;
    topics->pending = 0;
    cardfeed_arena_reset(&topics->arena);

    return CARDFEED_OK;
}


int
cardfeed_store_topics_relieve(cardfeed_txn_t *txn)
{
    return txn->topics->arena.used > MEMORY_MUCH
               ? cardfeed_store_topics_flush(txn) : CARDFEED_OK;
}
