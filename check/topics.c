/* topics: how many cards each has, and what it is called. */

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    cardfeed_str_t slug;
    size_t cards;
    int64_t newest;
    size_t spelling; /* the most used one, when all are known */
} topic_t;

typedef struct {
    cardfeed_str_t name;
    size_t cards;
    size_t topic;
} spelling_t;

struct check_topics_s {
    cardfeed_arena_t arena;
    check_map_t slugs; /* to topics */
    check_map_t names; /* to spellings */
    topic_t *topics;
    spelling_t *spellings;
    size_t ntopics;
    size_t topics_cap;
    size_t nspellings;
    size_t spellings_cap;
};


check_topics_t *
check_topics_create(void)
{
    check_topics_t *t;

    t = calloc(1, sizeof(*t));

    if (t != NULL) {
        cardfeed_arena_init(&t->arena, SIZE_MAX);
    }

    return t;
}


void
check_topics_free(check_topics_t *t)
{
    if (t == NULL) {
        return;
    }

    cardfeed_arena_free(&t->arena);
    check_map_free(&t->slugs);
    check_map_free(&t->names);
    free(t->topics);
    free(t->spellings);
    free(t);
}


/* Room for one more behind n; NULL when out of memory. */
static void *
room(void *items, size_t n, size_t *cap, size_t size)
{
    size_t more;
    void *to;

    if (n < *cap) {
        return items;
    }

    more = *cap != 0 ? *cap * 2 : 64;
    to = realloc(items, more * size);

    if (to != NULL) {
        *cap = more;
    }

    return to;
}


static int
topic_of(check_topics_t *t, cardfeed_str_t slug, size_t *number)
{
    topic_t *to;
    bool is_new;
    int rc;

    *number = t->ntopics;
    rc = check_map_take(&t->slugs, cardfeed_text_hash(slug), number, &is_new);
    if (rc != CARDFEED_OK || !is_new) {
        return rc;
    }

    to = room(t->topics, t->ntopics, &t->topics_cap, sizeof(*to));
    if (to == NULL) {
        return CARDFEED_NOMEM;
    }

    t->topics = to;
    to += t->ntopics++;
    memset(to, 0, sizeof(*to));
    to->newest = CARDFEED_NO_TIME;
    to->spelling = SIZE_MAX;
    to->slug = cardfeed_arena_dup(&t->arena, slug);

    return t->arena.failed;
}


static int
spelling_of(check_topics_t *t, cardfeed_str_t name, size_t topic,
    size_t *number)
{
    spelling_t *to;
    bool is_new;
    int rc;

    *number = t->nspellings;
    rc = check_map_take(&t->names, cardfeed_text_hash(name), number, &is_new);
    if (rc != CARDFEED_OK || !is_new) {
        return rc;
    }

    to = room(t->spellings, t->nspellings, &t->spellings_cap, sizeof(*to));
    if (to == NULL) {
        return CARDFEED_NOMEM;
    }

    t->spellings = to;
    to += t->nspellings++;
    to->cards = 0;
    to->topic = topic;
    to->name = cardfeed_arena_dup(&t->arena, name);

    return t->arena.failed;
}


int
check_topics_add(check_topics_t *t, const cardfeed_card_t *card)
{
    size_t i, topic, spelling;
    int rc;

    rc = CARDFEED_OK;

    for (i = 0; i < card->ntopics && rc == CARDFEED_OK; i++) {
        rc = topic_of(t, card->topics[i].slug, &topic);

        if (rc == CARDFEED_OK) {
            rc = spelling_of(t, card->topics[i].name, topic, &spelling);
        }

        if (rc == CARDFEED_OK) {
            t->topics[topic].cards++;
            t->spellings[spelling].cards++;

            if (t->topics[topic].newest < card->published) {
                t->topics[topic].newest = card->published;
            }
        }
    }

    return rc;
}


/* The most used one; of equal ones the bytewise first. */
static void
choose_spellings(check_topics_t *t)
{
    const spelling_t *s, *best;
    topic_t *topic;
    size_t i;

    for (i = 0; i < t->nspellings; i++) {
        s = &t->spellings[i];
        topic = &t->topics[s->topic];
        best = topic->spelling != SIZE_MAX ? &t->spellings[topic->spelling]
                                           : NULL;

        if (best == NULL || s->cards > best->cards
            || (s->cards == best->cards
                && cardfeed_str_cmp(s->name, best->name) < 0))
        {
            topic->spelling = i;
        }
    }
}


static int
by_cards(const void *a, const void *b)
{
    const topic_t *x = a, *y = b;

    if (x->cards != y->cards) {
        return x->cards < y->cards ? 1 : -1;
    }

    return cardfeed_str_cmp(x->slug, y->slug);
}


/* Sorts the topics: none may be added any more. */
void
check_topics_print(check_topics_t *t, size_t max)
{
    char date[CARDFEED_RFC3339_LEN + 1];
    cardfeed_str_t name;
    size_t i;

    if (t->ntopics == 0) {
        return;
    }

    choose_spellings(t);
    qsort(t->topics, t->ntopics, sizeof(*t->topics), by_cards);

    printf("%8s  %-10s  %s\n", "cards", "newest", "topic");

    for (i = 0; i < t->ntopics && i < max; i++) {
        cardfeed_date_rfc3339(date, t->topics[i].newest);
        name = t->spellings[t->topics[i].spelling].name;
        printf("%8zu  %.10s  %.*s\n", t->topics[i].cards, date,
            (int) name.len, name.data);
    }

    if (i < t->ntopics) {
        printf("%8s  and %zu more (--all-topics)\n", "", t->ntopics - i);
    }
}
