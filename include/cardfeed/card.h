/*
 * card: the bytes of one file → a cardfeed_card_t, or a reason with a line.
 *
 * Ownership: a parser owns the memory of the card it returned last; the card
 *   and all its strings live until the next call with that parser.  The
 *   file's bytes are only read during the call.
 * Threads: one parser per thread; nothing shared.
 * Limits: front matter nests at most CARDFEED_CARD_DEPTH levels; an alias of
 *   a scalar is its value, one of a collection is refused, so that nothing
 *   grows; at most CARDFEED_CARD_TOPICS topics, _AUTHORS authors and _RELATED
 *   related cards are kept, CARDFEED_CARD_TEXT bytes of an excerpt, and
 *   CARDFEED_CARD_NAME of a title, topic, name or type.
 * Errors: CARDFEED_INVALID with line and reason (the file is rejected),
 *   CARDFEED_NOTCARD (empty or without front matter), CARDFEED_NOMEM.
 * Source of the format: DESIGN.md, "A card"; YAML 1.1 events by libyaml; what
 *   is skipped is never built.  The value of a `secured` key is never copied
 *   out of libyaml's events.
 */

#ifndef CARDFEED_CARD_H
#define CARDFEED_CARD_H

#include <cardfeed/base.h>
#include <cardfeed/collection.h>

#define CARDFEED_CARD_DEPTH 100
#define CARDFEED_CARD_TOPICS 16384
#define CARDFEED_CARD_AUTHORS 64
#define CARDFEED_CARD_RELATED 5
#define CARDFEED_CARD_TEXT 8192
#define CARDFEED_CARD_NAME 1024

/* Text fields: UTF-8, plain (entities decoded, white space collapsed), URLs
 * as cardfeed_url_clean() leaves them.  An absent field is empty. */
typedef enum {
    CARDFEED_FIELD_IDENTITY, /* an IRI; what feeds show as id and guid */
    CARDFEED_FIELD_TITLE,
    CARDFEED_FIELD_EXCERPT,
    CARDFEED_FIELD_LINK, /* absolute, or path-absolute without site= */
    CARDFEED_FIELD_TYPE,
    CARDFEED_FIELD_CATEGORY,
    CARDFEED_FIELD_PROVIDER,
    CARDFEED_FIELD_PROVIDER_URL,
    CARDFEED_FIELD_IMAGE_URL,
    CARDFEED_FIELD_ENCLOSURE_URL,
    CARDFEED_FIELD_ENCLOSURE_TYPE, /* media type */
    CARDFEED_FIELDS
} cardfeed_field_t;

typedef struct {
    cardfeed_str_t name;
    cardfeed_str_t slug;
} cardfeed_card_topic_t;

typedef struct {
    cardfeed_str_t name;
    cardfeed_str_t url;
    cardfeed_str_t email;
} cardfeed_card_author_t;

typedef struct {
    cardfeed_str_t title;
    cardfeed_str_t url;
} cardfeed_card_related_t;

typedef struct {
    cardfeed_str_t field[CARDFEED_FIELDS];
    uint64_t id;       /* cardfeed_text_hash() of the identity */
    int64_t published; /* CARDFEED_NO_TIME: undated */
    int64_t updated;   /* never before published; undated: NO_TIME */
    int64_t expires;   /* CARDFEED_NO_TIME: never */
    int32_t quality;   /* 0 where absent */
    int32_t heat;
    uint32_t image_width; /* 0: unknown */
    uint32_t image_height;
    uint64_t enclosure_length; /* 0: unknown */
    bool hidden; /* published: false, draft, deleted, removed, feed: false */
    unsigned identity_line; /* where the identity stands; 1 when derived */
    /* Slugs are distinct; the first spelling on the card stays. */
    const cardfeed_card_topic_t *topics;
    size_t ntopics;
    const cardfeed_card_author_t *authors;
    size_t nauthors;
    const cardfeed_card_related_t *related;
    size_t nrelated;
} cardfeed_card_t;

typedef struct {
    cardfeed_str_t path; /* relative to the collection's directory */
    cardfeed_str_t data;
    int64_t mtime;       /* seconds; read with undated=mtime only */
    /* Another file of the same stem has the better extension (.md before
     * .markdown before the rest): the derived identity keeps this file's. */
    bool keep_extension;
} cardfeed_card_file_t;

typedef struct cardfeed_parser_s cardfeed_parser_t;

/* NULL when out of memory.  collection is kept and must outlive it. */
cardfeed_parser_t *cardfeed_parser_create(const cardfeed_collection_t *c);
void cardfeed_parser_destroy(cardfeed_parser_t *parser); /* NULL is fine */

int cardfeed_card_parse(cardfeed_parser_t *parser,
    const cardfeed_card_file_t *file, const cardfeed_card_t **card,
    cardfeed_error_t *err);

/* Lines of the front matter; 0: the value is not from there. */
typedef struct {
    unsigned title;
    unsigned excerpt;
    unsigned published;
    unsigned updated;
    unsigned expires;
    unsigned link;
    unsigned image;
    unsigned enclosure;
    unsigned passed_link;  /* of a link that is no http or https URL */
    unsigned passed_image; /* the same of an image, a plain text */
    int64_t said_updated;  /* before it was raised to published, or NO_TIME */
    bool path_title;       /* the title is made of the file's name */
} cardfeed_card_origin_t;

/* What the card that cardfeed_card_parse() has just returned was made of; its
 * file must still be there. */
void cardfeed_card_origin(const cardfeed_parser_t *parser,
    cardfeed_card_origin_t *origin);

/* Whether the card belongs into feeds at now: not hidden, dated, titled, not
 * in the future, not expired. */
bool cardfeed_card_visible(const cardfeed_card_t *card, int64_t now);

#endif /* CARDFEED_CARD_H */
