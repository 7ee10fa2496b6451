/*
 * record: a card as flat bytes, read in place (part of the store's floor).
 *
 * Layout (version CARDFEED_RECORD_VERSION, little-endian as the machine; an
 * index never leaves its machine): a fixed header with a checksum of all that
 * follows, counts and numbers, then where each string ends, counted from the
 * first one's start, in 16 bits, or in 32 where the last ends beyond those
 * (the fixed fields, then name and slug of every topic, name, url and e-mail
 * of every author, title and url of every related card), then the strings.
 *
 * Ownership: a view borrows the bytes it was opened on; inside a read
 *   transaction they lie in the map and are gone when it ends.
 * Threads: any.
 * Errors: CARDFEED_CORRUPT for anything that does not add up, checksum,
 *   bounds and counts; after a successful open no accessor can fail.
 */

#ifndef CARDFEED_RECORD_H
#define CARDFEED_RECORD_H

#include <cardfeed/card.h>
#include <cardfeed/text.h>

#define CARDFEED_RECORD_VERSION 2

typedef struct cardfeed_record_header_s cardfeed_record_header_t;

typedef struct {
    const unsigned char *base;
    const char *strings;
    bool wide;
    uint64_t id;
    int64_t published;
    int64_t updated;
    int64_t expires;
    int32_t quality;
    int32_t heat;
    uint32_t image_width;
    uint32_t image_height;
    uint64_t enclosure_length;
    bool hidden;
    uint32_t ntopics;
    uint32_t nauthors;
    uint32_t nrelated;
} cardfeed_record_t;

#define CARDFEED_RECORD_MAX ((size_t) 16 << 20) /* bytes the index takes */

/* Appends the record to out; the same card gives the same bytes. */
int cardfeed_record_encode(cardfeed_buf_t *out, const cardfeed_card_t *card);

/* data needs no alignment. */
int cardfeed_record_open(cardfeed_record_t *rec, const void *data,
    size_t size);

cardfeed_str_t cardfeed_record_field(const cardfeed_record_t *rec,
    cardfeed_field_t field);
cardfeed_card_topic_t cardfeed_record_topic(const cardfeed_record_t *rec,
    uint32_t i);
cardfeed_card_author_t cardfeed_record_author(const cardfeed_record_t *rec,
    uint32_t i);
cardfeed_card_related_t cardfeed_record_related(const cardfeed_record_t *rec,
    uint32_t i);

/* cardfeed_card_visible(), asked of the record. */
bool cardfeed_record_visible(const cardfeed_record_t *rec, int64_t now);

#endif /* CARDFEED_RECORD_H */
