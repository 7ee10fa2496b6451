/* select: the topics there are, page by page. */

#include "cardfeed_select_private.h"

typedef struct {
    cardfeed_topics_t *out;
    cardfeed_topic_t *topics;
    uint32_t limit;
    uint32_t rows;
} topics_t;


static int
topics_take(void *data, const cardfeed_topic_t *topic)
{
    topics_t *t = data;

    if (t->out->ntopics == t->limit || t->rows == CARDFEED_SELECT_TOPICS) {
        t->out->more = true;
        t->out->next = topic->slug;
        return CARDFEED_BUSY;
    }

    t->rows++;

    if (topic->count != 0) {
        t->topics[t->out->ntopics++] = *topic;
    }

    return CARDFEED_OK;
}


int
cardfeed_select_topics(cardfeed_read_t *read, cardfeed_str_t from,
    uint32_t limit, cardfeed_arena_t *arena, cardfeed_topics_t *out,
    cardfeed_error_t *err)
{
    int rc;
    topics_t t;

    *out = (cardfeed_topics_t){.next = CARDFEED_NO_STR};

    t = (topics_t){
        .out = out,
        .topics = cardfeed_arena_alloc(arena, limit * sizeof(*t.topics)),
        .limit = limit,
    };

    if (t.topics == NULL) {
        return cardfeed_select_result(CARDFEED_NOMEM, err);
    }

    out->topics = t.topics;

    rc = cardfeed_read_topic(read, CARDFEED_STR("all"), &out->all);

    if (rc == CARDFEED_OK) {
        rc = cardfeed_read_topics(read, from, topics_take, &t);
    }

    return cardfeed_select_result(rc == CARDFEED_BUSY ? CARDFEED_OK : rc,
        err);
}
