/* card_same: what the two paths through the front matter make of one file,
 * compared; for the unit tests and the fuzz target, so without cmocka. */

#ifndef CARD_SAME_H
#define CARD_SAME_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cardfeed_card_private.h"

/* Both parsers, over one collection. */
typedef struct {
    cardfeed_parser_t *skimming;
    cardfeed_parser_t *plain;
} card_pair_t;


static inline bool
card_pair_create(card_pair_t *pair, const cardfeed_collection_t *c)
{
    pair->skimming = cardfeed_parser_create(c);
    pair->plain = cardfeed_parser_create(c);

    if (pair->skimming == NULL || pair->plain == NULL) {
        return false;
    }

    pair->plain->unskimmed = true;

    return true;
}


static inline void
card_pair_destroy(card_pair_t *pair)
{
    cardfeed_parser_destroy(pair->skimming);
    cardfeed_parser_destroy(pair->plain);
}


static inline bool
card_same_lists(const cardfeed_card_t *a, const cardfeed_card_t *b)
{
    size_t i;

    if (a->ntopics != b->ntopics || a->nauthors != b->nauthors
        || a->nrelated != b->nrelated)
    {
        return false;
    }

    for (i = 0; i < a->ntopics; i++) {
        if (!cardfeed_str_eq(a->topics[i].name, b->topics[i].name)
            || !cardfeed_str_eq(a->topics[i].slug, b->topics[i].slug))
        {
            return false;
        }
    }

    for (i = 0; i < a->nauthors; i++) {
        if (!cardfeed_str_eq(a->authors[i].name, b->authors[i].name)
            || !cardfeed_str_eq(a->authors[i].url, b->authors[i].url)
            || !cardfeed_str_eq(a->authors[i].email, b->authors[i].email))
        {
            return false;
        }
    }

    for (i = 0; i < a->nrelated; i++) {
        if (!cardfeed_str_eq(a->related[i].title, b->related[i].title)
            || !cardfeed_str_eq(a->related[i].url, b->related[i].url))
        {
            return false;
        }
    }

    return true;
}


static inline bool
card_same(const cardfeed_card_t *a, const cardfeed_card_t *b)
{
    size_t i;

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        if (!cardfeed_str_eq(a->field[i], b->field[i])) {
            return false;
        }
    }

    return a->id == b->id && a->published == b->published
        && a->updated == b->updated && a->expires == b->expires
        && a->quality == b->quality && a->heat == b->heat
        && a->image_width == b->image_width
        && a->image_height == b->image_height
        && a->enclosure_length == b->enclosure_length
        && a->hidden == b->hidden && a->identity_line == b->identity_line
        && card_same_lists(a, b);
}


/* Parses the bytes both ways, from a copy of their exact size; false when the
 * outcomes differ.  *cuts is how many values were left out with success. */
static inline bool
card_both_same(card_pair_t *pair, const void *data, size_t len,
    unsigned *cuts)
{
    cardfeed_error_t errors[2];
    cardfeed_card_file_t both;
    const cardfeed_card_t *cards[2];
    char *copy;
    int rc[2];

    copy = malloc(len != 0 ? len : 1);
    if (copy == NULL) {
        return false;
    }

    if (len != 0) {
        memcpy(copy, data, len);
    }

    memset(&both, 0, sizeof(both));
    memset(errors, 0, sizeof(errors));
    both.path = CARDFEED_STR("_news/2020-01-02-a.md");
    both.data = (cardfeed_str_t){.data = copy, .len = len};
    rc[0] = cardfeed_card_parse(pair->skimming, &both, &cards[0], &errors[0]);
    rc[1] = cardfeed_card_parse(pair->plain, &both, &cards[1], &errors[1]);
    free(copy);

    *cuts = rc[0] == CARDFEED_OK ? pair->skimming->ncuts : 0;

    return rc[0] == rc[1] && errors[0].code == errors[1].code
        && errors[0].line == errors[1].line
        && strcmp(errors[0].message, errors[1].message) == 0
        && (rc[0] == CARDFEED_OK ? card_same(cards[0], cards[1])
                                 : cards[0] == NULL && cards[1] == NULL);
}

#endif /* CARD_SAME_H */
