/*
 * check: cardfeed-check, what a collection's cards are worth, told to their
 * authors.
 *
 * The tree is walked, its paths are sorted, and one file after the other is
 * judged: so the lowest path comes first to an identity and to a link, and
 * what is told is always in the same order.  Of a card that was judged a hash
 * or two and its path stay.
 */

#ifndef CHECK_H
#define CHECK_H

#include <cardfeed/card.h>
#include <cardfeed/collection.h>
#include <cardfeed/text.h>
#include <cardfeed/watch.h>

enum { CHECK_FINE = 0, CHECK_REJECTED = 1, CHECK_TROUBLE = 2 };

/* --- options ------------------------------------------------------------ */

typedef struct {
    cardfeed_collection_t collection;
    cardfeed_arena_t arena; /* what it points to */
    const char *dir;        /* as it was given */
    bool quiet;
    bool strict;
    bool all_topics;
} check_options_t;

/* -1, or the exit status of a program that has no more to do. */
int check_options_read(check_options_t *options, int argc, char **argv);
void check_options_free(check_options_t *options);

/* --- map ---------------------------------------------------------------- */

/* From 64-bit hashes to numbers, as many as memory holds. */
typedef struct {
    uint64_t *keys;
    size_t *values; /* plus one; 0: a free slot */
    size_t n;
    size_t mask;
} check_map_t;

/* The number of a key, which becomes *value if it had none: then *is_new. */
int check_map_take(check_map_t *map, uint64_t key, size_t *value,
    bool *is_new);
void check_map_free(check_map_t *map);

/* --- report ------------------------------------------------------------- */

/* A line that says how far it is, if there is a terminal to say it on. */
typedef struct {
    bool terminal;
    bool shown;
    int64_t next_ms;
} check_progress_t;

void check_progress_init(check_progress_t *progress);
/* of: 0 while that is not known. */
void check_progress_tell(check_progress_t *progress, size_t done, size_t of);
void check_progress_clear(check_progress_t *progress);

#define CHECK_PROBLEMS 16 /* of one file */

typedef struct {
    bool error;
    cardfeed_error_t what;
} check_problem_t;

typedef struct {
    check_problem_t list[CHECK_PROBLEMS];
    size_t n;
} check_problems_t;

/* line 0 is the whole file. */
void check_problems_warn(check_problems_t *problems, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void check_problems_reject(check_problems_t *problems,
    const cardfeed_error_t *why);
/* By their lines, each as "DIR/path:line: error: reason". */
void check_problems_print(check_problems_t *problems, const char *dir,
    cardfeed_str_t path);

/* --- topics ------------------------------------------------------------- */

typedef struct check_topics_s check_topics_t;

check_topics_t *check_topics_create(void);
void check_topics_free(check_topics_t *topics);
/* A card that is in feeds. */
int check_topics_add(check_topics_t *topics, const cardfeed_card_t *card);
/* The longest first, at most max lines. */
void check_topics_print(check_topics_t *topics, size_t max);

/* --- tree --------------------------------------------------------------- */

typedef struct {
    cardfeed_str_t path;
    const char *refused; /* why there is nothing to read, or NULL */
} check_file_t;

typedef struct {
    cardfeed_arena_t arena;
    check_file_t *files; /* by path */
    size_t n;
    size_t cap;
} check_tree_t;

int check_tree_read(check_tree_t *tree, cardfeed_watch_t *watch,
    check_progress_t *progress, cardfeed_error_t *err);
void check_tree_free(check_tree_t *tree);

/* --- judge -------------------------------------------------------------- */

typedef enum {
    CHECK_SHOWN, /* in feeds */
    CHECK_UNDATED,
    CHECK_HIDDEN,
    CHECK_WAITING,
    CHECK_EXPIRED,
    CHECK_STATES
} check_state_t;

typedef struct {
    size_t files;
    size_t states[CHECK_STATES];
    size_t rejected;
    size_t notcards;
    size_t warnings;
} check_counts_t;

typedef struct {
    const check_options_t *options;
    int64_t now;
    cardfeed_watch_t *watch;
    cardfeed_parser_t *parser;
    cardfeed_buf_t data;
    cardfeed_buf_t record;
    check_progress_t progress;
    check_tree_t tree;
    check_map_t identities; /* to files of the tree */
    check_map_t links;
    check_topics_t *topics;
    check_counts_t counts;
} check_t;

/* Tells what is wrong with a file of the tree, and counts it. */
int check_judge(check_t *check, size_t number);

/* What looks wrong in readers of a card that has a date and is not hidden. */
void check_warn(const check_t *check, const cardfeed_card_t *card,
    check_problems_t *problems);

#endif /* CHECK_H */
