/*
 * card, inside: what the files of the room share.
 *
 * A parse has two halves.  The walk (card_yaml, card_keys) pulls libyaml's
 * events, of as much of the front matter as card_skim leaves, and copies the
 * scalars of used keys, raw, into parser->raw; a value is a reference into it.
 * The finish (card_finish, card_link, card_lists, card_body) chooses among
 * those values and builds the card in the arena.  Nothing is appended to raw
 * during the finish, so its strings stay put.
 */

#ifndef CARDFEED_CARD_PRIVATE_H
#define CARDFEED_CARD_PRIVATE_H

#include <cardfeed/card.h>
#include <cardfeed/text.h>

#include <yaml.h>

#define CARDFEED_CARD_ANCHORS 64
#define CARDFEED_CARD_ANCHOR_MAX 8192
/* What all aliases of a file together may stand for, in bytes. */
#define CARDFEED_CARD_ALIASES (256 * 1024)
/* How much of a body is searched for a heading and a paragraph. */
#define CARDFEED_CARD_BODY (64 * 1024)
/* How many values of one front matter are shortened. */
#define CARDFEED_CARD_CUTS 16

/* Keys of the front matter; neighbours of one purpose stand in the order in
 * which they are asked. */
enum {
    CARDFEED_KEY_TITLE,
    CARDFEED_KEY_NAME,
    CARDFEED_KEY_EXCERPT,
    CARDFEED_KEY_DESCRIPTION,
    CARDFEED_KEY_SUMMARY,
    CARDFEED_KEY_PUBLISHED_DATE_TIME,
    CARDFEED_KEY_PUBLISH_DATE,
    CARDFEED_KEY_DATE,
    CARDFEED_KEY_PUBLISHED,
    CARDFEED_KEY_UPDATED_DATE_TIME,
    CARDFEED_KEY_LASTMOD,
    CARDFEED_KEY_LAST_MODIFIED_AT,
    CARDFEED_KEY_UPDATED,
    CARDFEED_KEY_EXPIRY_DATE,
    CARDFEED_KEY_WEB_URL,
    CARDFEED_KEY_ORIGINAL_URL,
    CARDFEED_KEY_WEBSITE,
    CARDFEED_KEY_EXTERNAL_URL,
    CARDFEED_KEY_URL,
    CARDFEED_KEY_PERMALINK,
    CARDFEED_KEY_SLUG,
    CARDFEED_KEY_TYPE,
    CARDFEED_KEY_CATEGORY,
    CARDFEED_KEY_QUALITY,
    CARDFEED_KEY_HEAT,
    CARDFEED_KEY_DRAFT,
    CARDFEED_KEY_DELETED,
    CARDFEED_KEY_REMOVED,
    CARDFEED_KEY_FEED,
    CARDFEED_KEY_PROVIDER,
    CARDFEED_KEY_AUTHOR,
    CARDFEED_KEY_AUTHORS,
    CARDFEED_KEY_TOPICS,
    CARDFEED_KEY_TAGS,
    CARDFEED_KEY_CATEGORIES,
    CARDFEED_KEY_IMAGES,
    CARDFEED_KEY_IMAGE,
    CARDFEED_KEY_ACTIONS,
    CARDFEED_KEY_RELATED,
    CARDFEED_KEY_ID,
    CARDFEED_KEY_GUID,
    CARDFEED_KEYS
};

enum {
    CARDFEED_PROVIDER_NAME,
    CARDFEED_PROVIDER_DOMAIN,
    CARDFEED_PROVIDER_URL,
    CARDFEED_PROVIDER_AUTHORS,
    CARDFEED_PROVIDER_KEYS
};

enum {
    CARDFEED_AUTHOR_NAME, /* or the whole of a text */
    CARDFEED_AUTHOR_URL,
    CARDFEED_AUTHOR_EMAIL,
    CARDFEED_AUTHOR_KEYS
};

enum {
    CARDFEED_IMAGE_URL,
    CARDFEED_IMAGE_PATH,
    CARDFEED_IMAGE_WIDTH,
    CARDFEED_IMAGE_HEIGHT,
    CARDFEED_IMAGE_KEYS
};

enum {
    CARDFEED_ACTION_URL,
    CARDFEED_ACTION_TYPE,
    CARDFEED_ACTION_LENGTH,
    CARDFEED_ACTION_SIZE,
    CARDFEED_ACTION_KEYS
};

enum {
    CARDFEED_RELATED_TITLE,
    CARDFEED_RELATED_WEB_URL,
    CARDFEED_RELATED_URL,
    CARDFEED_RELATED_ORIGINAL_URL,
    CARDFEED_RELATED_KEYS
};

/* Lists of names, lists of authors, images: one of each for every key. */
enum { CARDFEED_NAMES = 3, CARDFEED_PEOPLE = 3, CARDFEED_IMAGES = 2 };

/* What the current event is to the walk. */
typedef enum {
    CARDFEED_NODE_OTHER, /* the frame of the stream and of a document */
    CARDFEED_NODE_TEXT,  /* a scalar, or an alias of one */
    CARDFEED_NODE_LIST,
    CARDFEED_NODE_MAP,
    CARDFEED_NODE_END
} cardfeed_card_node_t;

typedef enum {
    CARDFEED_VALUE_NONE, /* not there, or null */
    CARDFEED_VALUE_TEXT,
    CARDFEED_VALUE_NESTED /* a list or a mapping */
} cardfeed_card_kind_t;

typedef struct {
    size_t off; /* in parser->raw */
    size_t len;
} cardfeed_card_ref_t;

typedef struct {
    cardfeed_card_ref_t ref;
    size_t mark; /* where it stands, for cardfeed_card_line() */
    cardfeed_card_kind_t kind;
} cardfeed_card_value_t;

typedef struct {
    cardfeed_str_t name;
    /* Reads a list or mapping up to its end; NULL: it is skipped.  May give
     * the value another kind. */
    int (*collect)(cardfeed_parser_t *p, unsigned arg,
        cardfeed_card_value_t *value);
    unsigned arg;
} cardfeed_card_key_t;

typedef enum {
    CARDFEED_ANCHOR_TEXT,
    CARDFEED_ANCHOR_NESTED,
    CARDFEED_ANCHOR_SECURED,
    CARDFEED_ANCHOR_LONG
} cardfeed_card_anchor_kind_t;

typedef struct {
    cardfeed_card_ref_t name;
    cardfeed_card_ref_t value;
    cardfeed_card_anchor_kind_t kind;
    bool plain;
} cardfeed_card_anchor_t;

typedef struct {
    cardfeed_card_value_t item[CARDFEED_CARD_AUTHORS][CARDFEED_AUTHOR_KEYS];
    size_t n;
} cardfeed_card_people_t;

/* A value that card_skim has shortened. */
typedef struct {
    const char *from; /* the bytes left out, of the whole front matter */
    const char *to;
    const char *key;  /* the value's key, which stays */
    size_t key_len;
    size_t mark;     /* of the key, as libyaml will tell it */
    size_t offset;   /* where the bytes are missing, in parser->front */
    unsigned lines;  /* that are missing */
    bool related;    /* items of `related`: of no use if enough came before */
} cardfeed_card_cut_t;

struct cardfeed_parser_s {
    const cardfeed_collection_t *collection;
    const cardfeed_card_file_t *file;
    cardfeed_error_t *err;

    /* The walk. */
    yaml_parser_t yaml;
    yaml_event_t event;
    cardfeed_str_t front; /* the bytes between the fences */
    cardfeed_str_t text;  /* of a scalar; good until the next event */
    cardfeed_card_ref_t ref;
    cardfeed_card_node_t node;
    bool plain;   /* it has neither quotes nor a tag: may be null */
    bool aliased; /* text lies in raw already, at ref */
    bool anchors_lost;
    unsigned depth;
    unsigned shade; /* depth of the collection that `secured` holds, or 0 */
    size_t expanded;
    size_t nanchors;
    cardfeed_card_anchor_t anchors[CARDFEED_CARD_ANCHORS];
    unsigned char level[CARDFEED_CARD_DEPTH + 1];

    /* The skimming. */
    bool unskimmed;       /* a test's wish: the plain path alone */
    bool block;           /* the front matter is a block mapping */
    unsigned ncuts;       /* 0: front is the whole front matter */
    unsigned met;         /* cuts that the walk has found in order */
    cardfeed_str_t whole; /* the front matter, while front is shortened */
    cardfeed_buf_t skimmed;
    cardfeed_card_cut_t cuts[CARDFEED_CARD_CUTS];

    /* What it found. */
    cardfeed_buf_t raw;
    cardfeed_card_value_t values[CARDFEED_KEYS];
    cardfeed_card_value_t provider[CARDFEED_PROVIDER_KEYS];
    cardfeed_card_value_t image[CARDFEED_IMAGES][CARDFEED_IMAGE_KEYS];
    cardfeed_card_value_t action[CARDFEED_ACTION_KEYS];
    cardfeed_card_value_t related[CARDFEED_CARD_RELATED]
                                 [CARDFEED_RELATED_KEYS];
    size_t nrelated;
    bool image_found[CARDFEED_IMAGES];
    bool action_found;
    cardfeed_card_people_t people[CARDFEED_PEOPLE];
    cardfeed_buf_t names[CARDFEED_NAMES]; /* of cardfeed_card_ref_t */

    /* The finish. */
    cardfeed_str_t body;
    /* What the link came from; NULL: the path. */
    const cardfeed_card_value_t *link_value;
    const cardfeed_card_value_t *passed_link; /* the first of no use, or NULL */
    bool path_title;
    cardfeed_buf_t base;    /* site=, as a directory */
    cardfeed_buf_t scratch; /* results on their way into the arena */
    cardfeed_buf_t work;    /* inputs that must be put together first */
    cardfeed_buf_t capture; /* text of a heading or paragraph */
    cardfeed_buf_t html;    /* a block of HTML inside Markdown */
    cardfeed_arena_t arena;
    int failed; /* CARDFEED_NOMEM, sticky */
    cardfeed_card_t card;
    cardfeed_card_author_t authors[CARDFEED_CARD_AUTHORS];
    cardfeed_card_related_t relations[CARDFEED_CARD_RELATED];
};

/* --- card --------------------------------------------------------------- */

/* Forgets all that a walk has found. */
void cardfeed_card_reset(cardfeed_parser_t *p);

/* --- card_yaml ---------------------------------------------------------- */

/* The next event, as parser->node and parser->text. */
int cardfeed_card_next(cardfeed_parser_t *p);
/*
 * The line of the file that a mark (libyaml's: characters of the front
 * matter) or an offset (bytes) stands in.  Counted when it is asked for:
 * libyaml's own lines end at CR, U+0085, U+2028 and U+2029 as well.
 */
unsigned cardfeed_card_line(const cardfeed_parser_t *p, size_t mark);
unsigned cardfeed_card_line_at(const cardfeed_parser_t *p, size_t offset);
/* The offset of a mark. */
size_t cardfeed_card_offset(const cardfeed_parser_t *p, size_t mark);
/* Refuses a directive in front of the document, before the first event, or
 * behind it, when it has just ended. */
int cardfeed_card_directives(cardfeed_parser_t *p);
/* Passes over the rest of the node the current event starts. */
int cardfeed_card_skip(cardfeed_parser_t *p);
/* Copies the current text, unless null, into value. */
int cardfeed_card_save(cardfeed_parser_t *p, cardfeed_card_value_t *value);
/* Reads the mapping just entered; values[i] is what keys[i] last had. */
int cardfeed_card_map(cardfeed_parser_t *p, const cardfeed_card_key_t *keys,
    size_t n, cardfeed_card_value_t *values);
/* The key of this name, NULL if there is none. */
const cardfeed_card_key_t *cardfeed_card_find(const cardfeed_card_key_t *keys,
    size_t n, cardfeed_str_t name);

/* --- card_skim ---------------------------------------------------------- */

/*
 * A feed has no use for most of what long front matter holds: `secured`, all
 * but the first `related`, keys of other programs.  So what libyaml is given
 * is a guess: the front matter without the insides of such values, where they
 * have a plain shape (the grammar is in card_skim.c) that libyaml accepts and
 * that means nothing to the walk.  The guess holds if
 *
 *   - the walk has no complaint,
 *   - it met the key of every shortened value, at its place, as a key of the
 *     front matter itself, a block mapping, and
 *   - where it was `related`, the items that were left already sufficed.
 *
 * Up to that key libyaml has seen what it would have seen, so it is in the
 * state that the grammar starts from; behind the value it is in the state in
 * which the whole value would have left it.  If the guess does not hold, for
 * any reason, the whole front matter is walked as if nothing had been, so
 * that errors, their lines and their order are libyaml's own.
 */

/* Puts a shortened copy into parser->front; false: there is nothing to
 * shorten, and nothing has changed.  The front matter is valid UTF-8 and empty
 * or ends in LF. */
bool cardfeed_card_skim(cardfeed_parser_t *p);
/* Takes that back. */
void cardfeed_card_unskim(cardfeed_parser_t *p);
/* The cut that belongs to the key the walk has come to, or NULL. */
const cardfeed_card_cut_t *cardfeed_card_cut(const cardfeed_parser_t *p);
/* Its value has been walked. */
void cardfeed_card_cut_met(cardfeed_parser_t *p,
    const cardfeed_card_cut_t *cut);

/* --- card_shape --------------------------------------------------------- */

/* A place in a front matter, which ends in LF, so that there is one to be
 * found from every place before end. */
typedef struct {
    const char *at;
    const char *end;
} cardfeed_card_shape_t;

/* Of card_skim's grammar; each moves on past what it has found. */

static inline bool
cardfeed_card_shape_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of a line's end, or 0; does not move. */
static inline size_t
cardfeed_card_shape_line_end(const cardfeed_card_shape_t *s)
{
    if (*s->at == '\n') {
        return 1;
    }

    return *s->at == '\r' && s->at[1] == '\n' ? 2 : 0;
}

static inline size_t
cardfeed_card_shape_spaces(cardfeed_card_shape_t *s)
{
    const char *from = s->at;

    while (*s->at == ' ') {
        s->at++;
    }

    return (size_t) (s->at - from);
}

const char *cardfeed_card_shape_next_line(const char *at, const char *end);
/* The length of a NAME with the ':' of a key behind it, or 0; does not
 * move. */
size_t cardfeed_card_shape_key(const cardfeed_card_shape_t *s);
/* A SCALAR up to the end of its line. */
bool cardfeed_card_shape_scalar(cardfeed_card_shape_t *s);

/* --- card_keys ---------------------------------------------------------- */

extern const cardfeed_card_key_t cardfeed_card_keys[CARDFEED_KEYS];
extern const cardfeed_card_key_t
    cardfeed_card_related_keys[CARDFEED_RELATED_KEYS];

/* Reads all of parser->front. */
int cardfeed_card_walk(cardfeed_parser_t *p);

/* --- card_values -------------------------------------------------------- */

/* The raw text of a value; empty where it has none. */
cardfeed_str_t cardfeed_card_raw(const cardfeed_parser_t *p,
    const cardfeed_card_value_t *value);
cardfeed_str_t cardfeed_card_at(const cardfeed_parser_t *p,
    cardfeed_card_ref_t ref);
/* As one line of plain text in the arena, at most max bytes. */
cardfeed_str_t cardfeed_card_plain(cardfeed_parser_t *p, cardfeed_str_t s,
    size_t max, unsigned flags);
/* The same of a value, entities decoded. */
cardfeed_str_t cardfeed_card_text(cardfeed_parser_t *p,
    const cardfeed_card_value_t *value, size_t max);
/* The first of values[from..to] that is not empty. */
cardfeed_str_t cardfeed_card_first(cardfeed_parser_t *p, unsigned from,
    unsigned to, size_t max);
/* The cleaned URL in parser->scratch; false when it is of no use. */
bool cardfeed_card_usable(cardfeed_parser_t *p, cardfeed_str_t url);
/* The same, kept in the arena; empty when of no use. */
cardfeed_str_t cardfeed_card_url(cardfeed_parser_t *p, cardfeed_str_t url);
/* A copy in the arena. */
cardfeed_str_t cardfeed_card_keep(cardfeed_parser_t *p, cardfeed_str_t s);
/* Decimal digits; 0 for anything else and for more than max. */
uint64_t cardfeed_card_count(cardfeed_str_t s, uint64_t max);
/* Decimal, a fraction cut off; 0 where unreadable. */
int32_t cardfeed_card_int(cardfeed_str_t s);

/* --- card_finish, card_link, card_lists, card_body ---------------------- */

/* Fills parser->card from what the walk found. */
int cardfeed_card_finish(cardfeed_parser_t *p);
void cardfeed_card_links(cardfeed_parser_t *p);
void cardfeed_card_topics(cardfeed_parser_t *p);
void cardfeed_card_people(cardfeed_parser_t *p);
void cardfeed_card_relations(cardfeed_parser_t *p);
/* Whichever is not NULL is set to what the body has, or left alone. */
void cardfeed_card_body(cardfeed_parser_t *p, cardfeed_str_t *title,
    cardfeed_str_t *excerpt);

/* The last component of the file's path, its extension ('.' included), and
 * the path without it. */
cardfeed_str_t cardfeed_card_file_name(cardfeed_str_t path);
cardfeed_str_t cardfeed_card_extension(cardfeed_str_t path);
cardfeed_str_t cardfeed_card_stem(cardfeed_str_t path);

#endif /* CARDFEED_CARD_PRIVATE_H */
