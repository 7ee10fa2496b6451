/* watch: what its own files share. */

#ifndef CARDFEED_WATCH_PRIVATE_H
#define CARDFEED_WATCH_PRIVATE_H

#include <cardfeed/watch.h>

#include <stdatomic.h>
#include <sys/stat.h>

/* --- map: watch descriptor ↔ directory, as a tree, so that a directory with
 * everything below it is cut off in one piece --------------------------- */

typedef struct cardfeed_watch_dir_s cardfeed_watch_dir_t;

struct cardfeed_watch_dir_s {
    cardfeed_watch_dir_t *parent; /* NULL: the root */
    cardfeed_watch_dir_t *child;  /* first of the directories in it */
    cardfeed_watch_dir_t *next;   /* siblings */
    cardfeed_watch_dir_t *prev;
    cardfeed_watch_dir_t *next_wd; /* hash chains */
    cardfeed_watch_dir_t *next_name;
    uint64_t hash; /* of parent and name */
    int wd;
    bool blind; /* could not be read when it was last looked at */
    size_t len;
    char name[];
};

typedef struct {
    cardfeed_watch_dir_t **by_wd;
    cardfeed_watch_dir_t **by_name;
    size_t buckets; /* a power of two, or 0 */
    size_t count;
    cardfeed_watch_dir_t *root;
} cardfeed_watch_map_t;

cardfeed_watch_dir_t *cardfeed_watch_map_wd(const cardfeed_watch_map_t *map,
    int wd);
/* "" is the root. */
cardfeed_watch_dir_t *cardfeed_watch_map_path(const cardfeed_watch_map_t *map,
    cardfeed_str_t path);
cardfeed_watch_dir_t *cardfeed_watch_map_child(
    const cardfeed_watch_map_t *map, const cardfeed_watch_dir_t *parent,
    cardfeed_str_t name);
/* parent NULL: the root.  Neither wd nor place may be taken. */
int cardfeed_watch_map_add(cardfeed_watch_map_t *map,
    cardfeed_watch_dir_t *parent, cardfeed_str_t name, int wd);
/* Cuts off dir and everything below; fn is told each watch descriptor. */
void cardfeed_watch_map_cut(cardfeed_watch_map_t *map,
    cardfeed_watch_dir_t *dir, void (*fn)(void *data, int wd), void *data);
/* Appends the relative path of dir. */
int cardfeed_watch_map_name(cardfeed_buf_t *out,
    const cardfeed_watch_dir_t *dir);

/* --- cardfeed_watch_links.c: links, and what they lead to ---------------- */

typedef struct cardfeed_watch_link_s cardfeed_watch_link_t;
typedef struct cardfeed_watch_link_key_s cardfeed_watch_link_key_t;

typedef struct {
    cardfeed_watch_link_key_t **buckets;
    size_t size; /* a power of two, or 0 */
    size_t count; /* keys */
    size_t bytes;
} cardfeed_watch_links_t;

/* --- the watch ---------------------------------------------------------- */

/* A directory on the way to the root, and the name in it that leads on. */
typedef struct {
    int wd; /* -1: not there or not readable */
    char *name;
} cardfeed_watch_above_t;

struct cardfeed_watch_s {
    const cardfeed_collection_t *c;
    int root; /* -1: absent */
    dev_t dev;
    ino_t ino;
    dev_t local; /* a file system that is not remote, or that was told */
    bool openat2; /* the kernel has it and lets us */
    bool link_to_dir; /* a link to a directory has been reported */
    int inotify; /* -1: not live */
    int mounts; /* the kernel's list of them; -1: not known */
    uint64_t mounted; /* what of it is below the root, in a number */
    cardfeed_watch_above_t *above;
    size_t nabove;
    cardfeed_watch_map_t map;
    cardfeed_watch_links_t links;
    cardfeed_buf_t path; /* of the event at hand */
    const atomic_bool *cancel;
    char degraded[160];
};

/* Adds a watch on a directory that is open; never fails the walk: what
 * cannot be watched makes the watch fall back to polling. */
void cardfeed_watch_add_dir(cardfeed_watch_t *watch, int fd,
    cardfeed_str_t path);

/* It, if it is watched, cannot be read for now: an event will tell when. */
void cardfeed_watch_blind(cardfeed_watch_t *watch, cardfeed_str_t path);

void cardfeed_watch_degrade(cardfeed_watch_t *watch, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Watches the way to the root anew: more of it may have appeared, or it may
 * lead through other links. */
void cardfeed_watch_refresh(cardfeed_watch_t *watch);

/* Remembers the link at path, or that there is none any more. */
void cardfeed_watch_links_note(cardfeed_watch_t *watch, const char *path);
void cardfeed_watch_links_drop(cardfeed_watch_t *watch, cardfeed_str_t path);
/* Tells the event of every link that leads to path, or through it. */
void cardfeed_watch_links_tell(const cardfeed_watch_t *watch,
    cardfeed_event_t event, cardfeed_str_t path, cardfeed_event_fn fn,
    void *data);
void cardfeed_watch_links_free(cardfeed_watch_t *watch);

/* --- cardfeed_watch_mount.c ---------------------------------------------- */

/* Falls back to polling where the file system of that type is remote. */
void cardfeed_watch_check_remote(cardfeed_watch_t *watch, unsigned long type);
/* The same where the directory is on another one than those before it. */
void cardfeed_watch_check_mount(cardfeed_watch_t *watch, int fd);

void cardfeed_watch_mounts_open(cardfeed_watch_t *watch);
void cardfeed_watch_mounts_note(cardfeed_watch_t *watch);

/* --- cardfeed_watch_way.c ------------------------------------------------ */

/* Watches the directories on the way to the root, as far as they exist;
 * returns how many do, and in *type the file system of the last. */
size_t cardfeed_watch_way(cardfeed_watch_t *watch, uint32_t mask,
    unsigned long *type);
void cardfeed_watch_way_free(cardfeed_watch_t *watch);

bool cardfeed_watch_cancelled(const cardfeed_watch_t *watch);

/* --- files beneath the root --------------------------------------------- */

/* Opens path below the root; with links, symbolic links are followed as long
 * as they stay inside.  -1 and errno: EXDEV for what leaves, ELOOP for a link
 * where none may be. */
int cardfeed_watch_open_at(const cardfeed_watch_t *watch, const char *path,
    int flags, bool links);

/* Finds out whether openat2() works here. */
bool cardfeed_watch_has_openat2(int root);

void cardfeed_watch_sign(cardfeed_watch_file_t *out, const struct stat *st);

/* What *st, found under path without following links, is to the collection:
 * fills out, following a link.  CARDFEED_NOTFOUND for a directory and for
 * what is not of the collection, else OK with out->code.  *target, when asked
 * for, becomes a descriptor (O_PATH) of the file a link leads to. */
int cardfeed_watch_judge(const cardfeed_watch_t *watch, const char *path,
    const struct stat *st, cardfeed_watch_file_t *out, int *target);

/* The same of something that is neither a directory nor a link. */
void cardfeed_watch_judge_type(const cardfeed_watch_t *watch,
    const struct stat *st, cardfeed_watch_file_t *out);

/* Whether trying again may help though nothing about the file changes. */
bool cardfeed_watch_transient(int err);

void cardfeed_watch_refuse_errno(cardfeed_watch_file_t *out, int err);

/* Whether a file of that name is of the collection; path becomes a copy. */
bool cardfeed_watch_named(const cardfeed_watch_t *watch, cardfeed_str_t name,
    char *path);

/* Judges what stands at name, copied into path; *target, when asked for,
 * becomes a descriptor (O_PATH) of the regular file there. */
int cardfeed_watch_find(const cardfeed_watch_t *watch, cardfeed_str_t name,
    char *path, cardfeed_watch_file_t *out, int *target, bool *link);

#endif /* CARDFEED_WATCH_PRIVATE_H */
